/**
 * What `pnpm bench` was asked for: everything, a look (`quick`), or the working tree beside a revision (`against`).
 *
 * @param {readonly string[]} words
 * @returns {{ quick: boolean, against: string | undefined }}
 */
export function argumentsOf(words) {
  const asked = { quick: false, against: undefined };
  const rest = words.filter((word) => word !== '--');
  while (rest.length > 0) {
    const word = rest.shift();
    if (word === '--quick') asked.quick = true;
    else if (word === '--against') asked.against = revisionOf(rest.shift());
    else if (word.startsWith('--against=')) asked.against = revisionOf(word.slice('--against='.length));
    else throw new Error(`'${word}' is not an option: use --quick, --against REV, or neither`);
  }
  return asked;
}

function revisionOf(word) {
  if (!word || word.startsWith('-')) throw new Error('--against needs a revision, such as --against main');
  return word;
}
