/** A text as its Unicode code points; a surrogate without its other half stands for itself. */
export function codePoints(text: string): number[] {
  const codes: number[] = [];
  for (const character of text) codes.push(character.codePointAt(0)!);
  return codes;
}

/** The text of some code points. */
export function textOf(codes: readonly number[]): string {
  return codes.map((code) => String.fromCodePoint(code)).join("");
}

/** Code points in UTF-8, and where each begins; of lone surrogates the bytes they would have. */
export function utf8(codes: readonly number[]): { bytes: Uint8Array; at: Uint32Array } {
  const bytes = new Uint8Array(4 * codes.length);
  const at = new Uint32Array(codes.length + 1);
  let end = 0;
  codes.forEach((code, place) => {
    if (code < 0x80) {
      bytes[end++] = code;
    } else {
      const more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
      bytes[end++] = (0xff00 >> (more + 1)) | (code >> (6 * more));
      for (let left = more - 1; left >= 0; left--) {
        bytes[end++] = 0x80 | ((code >> (6 * left)) & 0x3f);
      }
    }
    at[place + 1] = end;
  });
  return { bytes, at };
}
