// Models go-cmp's search for the edits that make one list of another: greedy, from both ends at once.

/** What of a pair of elements is the same and what is not. */
export interface Likeness {
  readonly same: number;
  readonly different: number;
}

export type Edit = 'identity' | 'modified' | 'onlyX' | 'onlyY';

type Compare = (x: number, y: number) => Likeness;

const isEqual = (likeness: Likeness): boolean => likeness.different === 0;
const isSimilar = ({ same, different }: Likeness): boolean => same + 1 >= different;

interface Path {
  readonly direction: 1 | -1;
  x: number;
  y: number;
  readonly edits: Edit[];
}

/** Non-matching pairs that are looked at for each element before the search gives up. */
const BUDGET_PER_ELEMENT = 4;

export function editsBetween(lengthX: number, lengthY: number, compare: Compare): readonly Edit[] {
  const forward: Path = { direction: 1, x: 0, y: 0, edits: [] };
  const reverse: Path = { direction: -1, x: lengthX, y: lengthY, edits: [] };
  const front = { x: 0, y: 0 };
  const back = { x: lengthX, y: lengthY };
  const search = { budget: BUDGET_PER_ELEMENT * (lengthX + lengthY) };
  const isDone = (): boolean => front.x >= back.x || front.y >= back.y || search.budget === 0;
  while (!isDone()) {
    searchForward(forward, reverse, front, search, compare);
    if (reverse.x - front.x >= reverse.y - front.y) front.x++;
    else front.y++;
    if (isDone()) break;
    searchBackward(forward, reverse, back, search, compare);
    if (back.x - forward.x >= back.y - forward.y) back.x--;
    else back.y--;
  }
  connect(forward, reverse.x, reverse.y, compare);
  return [...forward.edits, ...reverse.edits.reverse()];
}

interface Point {
  x: number;
  y: number;
}

/** Looks for a match along the diagonal through the frontier. */
function searchForward(forward: Path, reverse: Path, front: Point, search: { budget: number }, compare: Compare): void {
  let [atCorner, atOther] = [false, false];
  for (let i = 0; !(atCorner && atOther) && search.budget > 0; i++) {
    const x = front.x + zigzag(i);
    const y = front.y - zigzag(i);
    if (x >= reverse.x || y < forward.y) atCorner = true;
    else if (y >= reverse.y || x < forward.x) atOther = true;
    else if (isEqual(compare(x, y))) {
      connect(forward, x, y, compare);
      step(forward, 'identity');
      while (forward.x < reverse.x && forward.y < reverse.y && isEqual(compare(forward.x, forward.y))) step(forward, 'identity');
      front.x = forward.x;
      front.y = forward.y;
      return;
    } else search.budget--;
  }
}

function searchBackward(forward: Path, reverse: Path, back: Point, search: { budget: number }, compare: Compare): void {
  let [atCorner, atOther] = [false, false];
  for (let i = 0; !(atCorner && atOther) && search.budget > 0; i++) {
    const x = back.x - zigzag(i);
    const y = back.y + zigzag(i);
    if (forward.x >= x || reverse.y < y) atCorner = true;
    else if (forward.y >= y || reverse.x < x) atOther = true;
    else if (isEqual(compare(x - 1, y - 1))) {
      connect(reverse, x, y, compare);
      step(reverse, 'identity');
      while (forward.x < reverse.x && forward.y < reverse.y && isEqual(compare(reverse.x - 1, reverse.y - 1))) step(reverse, 'identity');
      back.x = reverse.x;
      back.y = reverse.y;
      return;
    } else search.budget--;
  }
}

/** Leads a path to a point with what edits it takes. */
function connect(path: Path, x: number, y: number, compare: Compare): void {
  const { direction } = path;
  const leftX = (): number => (x - path.x) * direction;
  const leftY = (): number => (y - path.y) * direction;
  const offset = direction === 1 ? 0 : -1;
  while (leftX() > 0 && leftY() > 0) {
    const likeness = compare(path.x + offset, path.y + offset);
    if (isEqual(likeness)) step(path, 'identity');
    else if (isSimilar(likeness)) step(path, 'modified');
    else if (direction === 1) step(path, leftX() >= leftY() ? 'onlyX' : 'onlyY');
    else step(path, leftY() >= leftX() ? 'onlyY' : 'onlyX');
  }
  while (leftX() > 0) step(path, 'onlyX');
  while (leftY() > 0) step(path, 'onlyY');
}

function step(path: Path, edit: Edit): void {
  path.edits.push(edit);
  if (edit !== 'onlyY') path.x += path.direction;
  if (edit !== 'onlyX') path.y += path.direction;
}

/** 0, -1, 1, -2, 2, ... */
function zigzag(i: number): number {
  return (i & 1) === 1 ? ~i >> 1 : i >> 1;
}
