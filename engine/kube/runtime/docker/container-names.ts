// Names for containers that were given none, in docker's adjective_surname form.

import type { Rng } from '../../../sim/rng.ts';

const LEFT =
  'admiring agitated amazing blissful bold brave busy charming clever cool determined eager ecstatic elegant fervent festive focused friendly gallant gracious happy hopeful inspiring jolly keen kind laughing loving lucid modest nifty nostalgic optimistic peaceful practical quirky relaxed serene sharp silly sleepy stoic sweet tender vibrant vigilant wizardly wonderful youthful zealous'.split(
    ' ',
  );
const RIGHT =
  'archimedes babbage banach bardeen bell bohr boyd cannon carson cerf curie darwin davinci dijkstra einstein engelbart euclid euler fermat fermi feynman franklin galileo gates gauss goldberg hamilton hawking hopper hypatia jang kepler knuth lamarr leakey lovelace mayer mendel moser newton nobel noether pasteur perlman ptolemy ride ritchie saha shannon stallman swartz tesla thompson torvalds turing villani wilson wozniak wright yonath'.split(
    ' ',
  );

export function randomName(rng: Rng, isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt++) {
    const name = `${LEFT[rng.int(LEFT.length)]!}_${RIGHT[rng.int(RIGHT.length)]!}${attempt < 5 ? '' : rng.int(10)}`;
    if (!isTaken(name)) return name;
  }
}
