/** Lines as they are typed: their words, and whether they use a command in a certain way. */

/** The words of a line, without their quotes. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/"((?:\\.|[^"\\])*)"|'((?:\\'|[^'])*)'|\S+/g)].map(([bare, double, single]) =>
    double !== undefined ? double.replace(/\\(.)/g, "$1") : single !== undefined ? single.replaceAll("\\'", "'") : bare,
  );
}

/** The words of a line without the number that says how often to run it. */
export function commandOf(line: string): string[] {
  const words = wordsOf(line);
  return words.length > 1 && /^\d+$/.test(words[0]!) ? words.slice(1) : words;
}

/**
 * Whether a typed line used a command: its first word, and the other words anywhere behind it. A word in capitals is one
 * of Redis and may be typed in small letters; any other must be there as it is.
 */
export function uses(line: string, words: string[]): boolean {
  const [name = "", ...rest] = commandOf(line);
  const [first = "", ...others] = words;
  const capitals = new Set(rest.map((word) => word.toUpperCase()));
  return name.toUpperCase() === first.toUpperCase() && others.every((word) => (/[a-z]/.test(word) ? rest.includes(word) : capitals.has(word)));
}
