/** What an author wrote between the tags: commands, or a transcript with its outputs. */

/** `redis> SET a 1` or `> SET a 1`: then lines without a prompt are the author's output and are not run. */
const promptPattern = /^(?:[\w.:\-[\]()]*)> ?(.*)$/;

/** Without the indentation and the empty lines that markup brings. */
export function trimmed(text: string): string {
  const lines = text.replace(/\r\n?/g, "\n").split("\n").map((line) => line.trimEnd());
  while (lines.length > 0 && lines[0] === "") lines.shift();
  while (lines.length > 0 && lines.at(-1) === "") lines.pop();
  const indents = lines.filter((line) => line !== "").map((line) => line.length - line.trimStart().length);
  const indent = Math.min(...indents, 1000);
  return lines.map((line) => line.slice(indent)).join("\n");
}

export function textLines(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}

export function commandsOf(text: string): string[] {
  const lines = textLines(text);
  const prompted = lines.flatMap((line) => promptPattern.exec(line)?.[1] ?? []);
  return prompted.length > 0 ? prompted : lines;
}
