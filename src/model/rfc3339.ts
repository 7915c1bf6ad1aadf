const SHAPE = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,]\d+)?(?:Z|[+-](\d\d):(\d\d))$/;

/**
 * Whether a text is a time as Falco Talon takes it: RFC 3339 with a date that exists, no leap second, upper-case `T` and
 * `Z`; beyond it a comma before the fraction, an hour of one digit, and offsets up to `24:60`.
 */
export function isRfc3339(text: string): boolean {
  const match = SHAPE.exec(text);
  if (!match) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offsetHour = 0, offsetMinute = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  const dateExists = month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month);
  return dateExists && hour <= 23 && minute <= 59 && second <= 59 && offsetHour <= 24 && offsetMinute <= 60;
}

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
