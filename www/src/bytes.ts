/** Bytes: joined, and as names. */

/** Chunks of bytes as one. */
export function joined(chunks: Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** A name for bytes that sets and maps can hold. */
export function idOf(bytes: Uint8Array): string {
  let id = "";
  for (const byte of bytes) id += String.fromCharCode(byte);
  return id;
}

export function bytesOf(id: string): Uint8Array {
  return Uint8Array.from(id, (character) => character.charCodeAt(0));
}
