const DATE = /^(\d{4})-(\d{1,2})-(\d{1,2})/;
const TIME = /^(?:[Tt]| +)(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?/;
const ZONE = /^(?:Z|[-+](?:[01]\d|2[0-4]):(?:[0-5]\d|60))$/;

/**
 * The RFC 3339 form of a value that Falco Talon's YAML reader takes for a date, as Falco Talon prints it: `2024-1-2` is
 * `2024-01-02T00:00:00Z`. Undefined for other texts. A time behind a `T` has a zone, one behind a space has none.
 */
export function dateForm(text: string): string | undefined {
  const date = DATE.exec(text);
  if (!date) return undefined;
  const [, year = '', month = '', day = ''] = date;
  if (!isDay(Number(year), Number(month), Number(day))) return undefined;
  const time = timeForm(text.slice(date[0].length));
  return time && `${year}-${twoDigits(month)}-${twoDigits(day)}T${time}`;
}

function timeForm(text: string): string | undefined {
  if (text === '') return '00:00:00Z';
  const time = TIME.exec(text);
  if (!time) return undefined;
  const [all, hour = '', minute = '', second = '', digits = ''] = time;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const zone = text.slice(all.length);
  const zoned = !all.startsWith(' ');
  if (zoned ? !ZONE.test(zone) : zone !== '') return undefined;
  const fraction = digits.slice(0, 9).replace(/0+$/, '');
  const clock = [hour, minute, second].map(twoDigits).join(':');
  return `${clock}${fraction && `.${fraction}`}${/[1-9]/.test(zone) ? zone : 'Z'}`;
}

function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(2000, 0));
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function twoDigits(number: string): string {
  return number.padStart(2, '0');
}
