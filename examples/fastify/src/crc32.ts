const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 of bytes that were hashed before and those from `begin` to `end`. */
export function crc32(before: number, bytes: Uint8Array, begin: number, end: number): number {
  let value = ~before;
  for (let at = begin; at < end; at++) {
    value = TABLE[(value ^ bytes[at]!) & 0xff]! ^ (value >>> 8);
  }
  return ~value >>> 0;
}
