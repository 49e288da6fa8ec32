// What may be pasted into a terminal. A web page can put escape sequences on the clipboard; ESC [ 201 ~ would end a bracketed
// paste early and run the rest (GHSA-h62m-39wp-xq3w), so control characters other than tab and line ends are taken out.

export function sanitisePaste(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
    .replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, '');
}

/** Lines that would run: a line end at the very end of one line is a habit of copying, and counts. */
export function lineCount(text: string): number {
  const lines = text.split('\n');
  return lines.at(-1) === '' ? lines.length - 1 : lines.length;
}

export function runsSomething(text: string): boolean {
  return text.includes('\n');
}
