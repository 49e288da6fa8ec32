import { describe, expect, it } from 'vitest';
import { TestMachine } from '../../tests/support/test-machine.ts';

describe('the base image', () => {
  it('boots with its real init up to a login prompt, and root logs in at the console', async () => {
    const test = new TestMachine();
    await test.boot();
    expect(test.crashes).toEqual([]);
    expect(test.machine.power).toBe('on');
    await test.clock.advance(1000);
    expect(test.screen).toMatch(/CentOS Linux 7 \(Core\)\r\nKernel 3\.10\.0-1160\.90\.1\.el7\.x86_64 on an x86_64\r\n\r\nm-k8s login: $/);
    expect(test.machine.unitState('docker.service')).toBe('active');
    test.type('root\r');
    await test.clock.advance(100);
    test.type('wrong\r');
    await test.clock.advance(3000);
    expect(test.screen).toContain('Password: \r\nLogin incorrect\r\n\r\nm-k8s login: ');
    test.type('root\r');
    await test.clock.advance(100);
    test.type('vagrant\r');
    await test.clock.advance(1000);
    expect(test.screen).toMatch(/\[root@m-k8s ~\]# $/);
  });

  it('reboots by its own program', async () => {
    const test = new TestMachine();
    await test.boot();
    const { bootMs } = test.machine.kernel!;
    const { status } = await test.run('/usr/sbin/modprobe', 'br_netfilter');
    expect(status).toBe(0);
    await test.inside(async ({ sys }) => {
      sys.spawn('/usr/sbin/reboot', ['reboot']);
    });
    // No DHCP server answers here, so the network takes its time.
    await test.clock.advance(150_000);
    expect(test.machine.power).toBe('on');
    expect(test.machine.kernel!.bootMs).toBeGreaterThan(bootMs);
    expect(test.crashes).toEqual([]);
  });

  it('is resumed, not rebooted, when a saved lab is opened', async () => {
    const first = new TestMachine();
    await first.boot();
    await first.run('/usr/sbin/modprobe', 'br_netfilter');
    await first.run('/usr/bin/systemctl', 'stop', 'crond');
    const before = first.machine.kernel!.processes().filter((info) => /dockerd|chronyd|systemd$/.test(info.command));
    await first.clock.advance(5000);
    first.journal.flush();
    first.machine.dispose();
    const second = new TestMachine({ journal: first.journal, clock: first.clock });
    second.machine.restore();
    await second.clock.advance(3000);
    expect(second.crashes).toEqual([]);
    expect(second.machine.power).toBe('on');
    const after = second.machine.kernel!.processes().filter((info) => /dockerd|chronyd|systemd$/.test(info.command));
    const view = (info: (typeof after)[number]): object => ({ pid: info.pid, start: info.startMs, argv: info.argv, parent: info.parent });
    expect(after.map(view)).toEqual(before.map(view));
    for (const [unit, state] of [
      ['docker', 'active'],
      ['crond', 'inactive'],
      ['getty@tty1', 'active'],
    ] as const) {
      expect((await second.run('/usr/bin/systemctl', 'is-active', unit)).stdout).toBe(`${state}\n`);
    }
    expect((await second.run('/usr/bin/systemctl', 'start', 'crond')).status).toBe(0);
    expect(second.machine.kernel!.modules.isLoaded('br_netfilter')).toBe(true);
    second.type('root\rvagrant\r');
    await second.clock.advance(500);
    expect(second.screen).toMatch(/m-k8s login: /);
    second.machine.dispose();
  });
});
