import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ClockDriver } from './clock-driver.ts';
import { FakeLab } from '../../tests/support/fake-lab.ts';
import { Terminals, type TerminalScreen } from './terminals.ts';

const SIZE = { columns: 80, rows: 24 };

class FakeScreen implements TerminalScreen {
  readonly name = `fake${Math.random()}`;
  replay = '';
  data = '';

  show(_: string, data: string, isReplay: boolean): void {
    if (isReplay) {
      this.replay = data;
      this.data = '';
    } else this.data += data;
  }
}

let lab: FakeLab;
let driver: ClockDriver;
let terminals: Terminals;

beforeEach(() => {
  lab = new FakeLab();
  driver = new ClockDriver({ clock: lab.clock, onFault: () => undefined });
  terminals = new Terminals({
    driver,
    flush: () => lab.flush(),
    open: (target) => {
      if (!('machine' in target)) throw new Error('not here');
      return lab.openTerminal(target);
    },
  });
});
afterEach(() => terminals.dispose());

const until = (what: () => boolean): Promise<void> => vi.waitFor(() => expect(what()).toBe(true));

test('a second screen is shown what the first has seen, and both what follows', async () => {
  const id = terminals.open({ machine: 'm-k8s' }, SIZE);
  const first = new FakeScreen();
  terminals.get(id).attach(first, SIZE);
  await until(() => (first.replay + first.data).includes('[root@m-k8s ~]#'));
  terminals.get(id).write('echo 안녕\r');
  await until(() => first.data.includes('\n안녕'));
  const second = new FakeScreen();
  terminals.get(id).attach(second, SIZE);
  terminals.get(id).write('echo later\r');
  await until(() => second.data.includes('later') && first.data.includes('later'));
  expect(second.replay).toContain('안녕');
  expect(second.replay + second.data).toMatch(/안녕[\s\S]*later/);
});

test('output leaves only after the lab has committed', async () => {
  const id = terminals.open({ machine: 'm-k8s' }, SIZE);
  const before = lab.flushes;
  const screen = new FakeScreen();
  terminals.get(id).attach(screen, SIZE);
  await until(() => screen.replay + screen.data !== '');
  expect(lab.flushes).toBeGreaterThan(before);
});

test('a screen that does not draw holds the clock until it has caught up or gone', async () => {
  const id = terminals.open({ machine: 'm-k8s' }, SIZE);
  const screen = new FakeScreen();
  terminals.get(id).attach(screen, SIZE);
  await until(() => screen.replay !== '' || screen.data !== '');
  terminals.get(id).write('flood 3000\r');
  await until(() => driver.isHeld);
  terminals.get(id).acknowledge(screen, 10_000_000);
  expect(driver.isHeld).toBe(false);
  terminals.get(id).write('flood 3000\r');
  await until(() => driver.isHeld);
  terminals.forget(screen);
  expect(driver.isHeld).toBe(false);
});

test('a session that ends says so on the screen, takes its modes back, and can be connected again', async () => {
  const id = terminals.open({ machine: 'm-k8s' }, SIZE);
  const screen = new FakeScreen();
  terminals.get(id).attach(screen, SIZE);
  await until(() => (screen.replay + screen.data).includes('#'));
  terminals.get(id).write('exit\r');
  await until(() => screen.data.includes('Connection to 127.0.0.1 closed.'));
  expect(screen.data).toContain('\x1b[?1047l');
  expect(terminals.get(id).view.state).toBe('closed');
  terminals.get(id).connect();
  await until(() => terminals.get(id).view.state === 'open');
});

test('titles take the lowest number that is free', () => {
  const first = terminals.open({ machine: 'm-k8s' }, SIZE);
  terminals.open({ machine: 'm-k8s' }, SIZE);
  terminals.close(first);
  terminals.open({ machine: 'm-k8s' }, SIZE);
  terminals.open({ machine: 'm-k8s', console: true }, SIZE);
  expect(terminals.views().map((view) => view.title)).toEqual(['m-k8s (2)', 'm-k8s', 'm-k8s tty1']);
});

test('a machine that refuses leaves a closed terminal with the reason on it', async () => {
  lab.powerOff('w1-k8s', 'hard');
  const id = terminals.open({ machine: 'w1-k8s' }, SIZE);
  const screen = new FakeScreen();
  terminals.get(id).attach(screen, SIZE);
  await until(() => (screen.replay + screen.data).includes('Connection refused'));
  expect(terminals.get(id).view.state).toBe('closed');
});
