// Times of alerts, as Go's decoder takes them: RFC 3339 with a date that exists and no leap second; beyond it a comma before
// the fraction, an hour of one digit, and offsets up to 24:60.

// @ts-ignore: decorator
@inline
function digit(at: usize): u32 {
  return <u32>load<u8>(at) - 0x30;
}

/** Two digits, or a number above 99. */
// @ts-ignore: decorator
@inline
function twoDigits(at: usize): u32 {
  const tens = digit(at);
  const ones = digit(at + 1);
  return tens > 9 || ones > 9 ? 1000 : tens * 10 + ones;
}

function daysOfMonth(year: u32, month: u32): u32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/** Whether the bytes from `at` to `end` are such a time. Bytes up to 32 past the end may be read, but do not count. */
export function isTime(at: usize, end: usize): bool {
  if (end - at < 19) return false;
  const century = twoDigits(at);
  const yearOfCentury = twoDigits(at + 2);
  const month = twoDigits(at + 5);
  const day = twoDigits(at + 8);
  if (century > 99 || yearOfCentury > 99 || load<u8>(at + 4) != 0x2d || load<u8>(at + 7) != 0x2d) return false;
  if (month - 1 > 11 || day - 1 >= daysOfMonth(century * 100 + yearOfCentury, month) || load<u8>(at + 10) != 0x54) return false;
  at += 11;
  let hour = digit(at);
  if (hour > 9) return false;
  if (digit(at + 1) <= 9) {
    hour = hour * 10 + digit(at + 1);
    at++;
  }
  at++;
  if (hour > 23 || load<u8>(at) != 0x3a || twoDigits(at + 1) > 59 || load<u8>(at + 3) != 0x3a || twoDigits(at + 4) > 59)
    return false;
  at += 6;
  const separator = load<u8>(at);
  if (separator == 0x2e || separator == 0x2c) {
    if (digit(++at) > 9) return false;
    while (digit(at) <= 9) at++;
  }
  const zone = load<u8>(at);
  if (zone == 0x5a) return at + 1 == end;
  if (zone != 0x2b && zone != 0x2d) return false;
  return at + 6 == end && twoDigits(at + 1) <= 24 && load<u8>(at + 3) == 0x3a && twoDigits(at + 4) <= 60;
}
