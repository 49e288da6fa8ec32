import { beforeAll, describe, expect, it } from 'vitest';
import { TestMachine } from '../../../tests/support/test-machine.ts';

const test = new TestMachine();
beforeAll(() => test.boot());

/** One command line without quoting, as root. */
async function run(line: string): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  return test.run('/bin/bash', '-c', line);
}

describe('modules and sysctls', () => {
  const cases: readonly { readonly name: string; readonly line: string; readonly want: Partial<Awaited<ReturnType<typeof run>>> }[] = [
    {
      name: 'an unknown module is not found',
      line: 'modprobe nosuch',
      want: { status: 1, stdout: '', stderr: 'modprobe: FATAL: Module nosuch not found.\n' },
    },
    { name: 'br_netfilter loads without a word', line: 'modprobe br_netfilter', want: { status: 0, stdout: '', stderr: '' } },
    {
      name: 'lsmod shows it with its dependency',
      line: 'lsmod',
      want: { stdout: expect.stringMatching(/\nbr_netfilter {11}22256 {2}0 \nbridge {16}151336 {2}1 br_netfilter\n/) as string },
    },
    {
      name: 'its keys are there',
      line: 'sysctl net.bridge.bridge-nf-call-iptables',
      want: { stdout: 'net.bridge.bridge-nf-call-iptables = 1\n' },
    },
    {
      name: 'what another module needs is in use',
      line: 'modprobe -r llc',
      want: { status: 1, stderr: 'modprobe: FATAL: Module llc is in use.\n' },
    },
    { name: 'rmmod names the user', line: 'rmmod stp', want: { status: 1, stderr: 'rmmod: ERROR: Module stp is in use by: bridge\n' } },
    {
      name: 'it unloads without a word',
      line: 'modprobe -r br_netfilter; test -d /sys/module/br_netfilter || echo gone',
      want: { stdout: 'gone\n', stderr: '' },
    },
    {
      name: 'its keys are gone',
      line: 'sysctl net.bridge.bridge-nf-call-iptables',
      want: {
        status: 255,
        stderr: 'sysctl: cannot stat /proc/sys/net/bridge/bridge-nf-call-iptables: No such file or directory\n',
      },
    },
    { name: 'a value is set and shown', line: 'sysctl -w net.ipv4.ip_forward=0', want: { status: 0, stdout: 'net.ipv4.ip_forward = 0\n' } },
    {
      name: 'a bad value is refused',
      line: 'sysctl -w vm.swappiness=abc',
      want: { status: 255, stderr: 'sysctl: setting key "vm.swappiness": Invalid argument\n' },
    },
  ];
  it.each(cases)('$name', async ({ line, want }) => expect(await run(line)).toMatchObject(want));
});

describe('processes', () => {
  it('ps -ef lists init first, in the columns of procps', async () => {
    const { stdout } = await run('ps -ef | head -3');
    expect(stdout).toMatch(
      /^UID {8}PID {2}PPID {2}C STIME TTY {10}TIME CMD\nroot {9}1 {5}0 {2}0 09:00 \? {8}00:00:00 \/usr\/lib\/systemd\/systemd --switched-root --system --deserialize 22\nroot {9}2 {5}0 {2}0 09:00 \? {8}00:00:00 \[kthreadd\]\n$/,
    );
  });
  it('ps aux has its BSD columns', async () => {
    const { stdout } = await run('ps aux | head -2');
    expect(stdout).toMatch(
      /^USER {7}PID %CPU %MEM {4}VSZ {3}RSS TTY {6}STAT START {3}TIME COMMAND\nroot {9}1 {2}0\.\d {2}\d\.\d +\d+ +\d+ \? {8}Ss {3}09:00 {3}0:00 \/usr/,
    );
  });
  it('ps -o chooses columns and --sort orders', async () => {
    expect((await run('ps -C dockerd -o comm=')).stdout).toBe('dockerd\n');
    expect((await run('ps -o nosuch')).stderr).toMatch(/^error: unknown user-defined format specifier "nosuch"/);
    expect((await run('ps -p 99999')).status).toBe(1);
  });
  it('finds and ends processes by name', async () => {
    expect((await run('sleep 500 & pgrep -x sleep >/dev/null && pkill -9 sleep; wait; echo $?; pgrep -x sleep')).stdout).toBe('0\n');
    expect((await run('killall nosuch')).stderr).toBe('nosuch: no process found\n');
  });
});

describe('identity', () => {
  it.each([
    ['whoami', 'root\n'],
    ['id -u vagrant', '1000\n'],
    ['id vagrant', 'uid=1000(vagrant) gid=1000(vagrant) groups=1000(vagrant),10(wheel)\n'],
    ['uname -a', 'Linux m-k8s 3.10.0-1160.90.1.el7.x86_64 #1 SMP Wed Sep 16 22:53:08 UTC 2020 x86_64 x86_64 x86_64 GNU/Linux\n'],
    ['hostname', 'm-k8s\n'],
  ])('%s', async (line, want) => expect((await run(line)).stdout).toBe(want));
});

describe('memory and time', () => {
  it('free adds up and shows human sizes', async () => {
    const { stdout } = await run('free -m');
    const [, head = '', memory = ''] = /^(.*)\n(Mem: .*)\n/.exec(stdout) ?? [];
    expect(head).toBe('              total        used        free      shared  buff/cache   available');
    const [total = 0, used = 0, free = 0, , cache = 0] = memory.split(/\s+/).slice(1).map(Number);
    expect(Math.abs(total - used - free - cache)).toBeLessThan(3);
    expect((await run('free -h')).stdout).toMatch(/^Mem: {11}1\.\dG/m);
  });
  it('uptime tells the time of day in Korea', async () => {
    expect((await run('uptime')).stdout).toMatch(/^ 09:0\d:\d\d up \d+ min, {2}0 users, {2}load average: \d\.\d\d, \d\.\d\d, \d\.\d\d\n$/);
  });
  it('dmesg shows the boot', async () => {
    expect((await run('dmesg')).stdout).toMatch(/^\[ {4}0\.000000\] Initializing cgroup subsys cpuset\n/);
  });
});

describe('mounts', () => {
  it('mounts, shows and unmounts a tmpfs', async () => {
    expect(await run('mkdir -p /mnt/a && mount -t tmpfs none /mnt/a && findmnt -n /mnt/a')).toMatchObject({
      status: 0,
      stdout: '/mnt/a none tmpfs rw,relatime\n',
    });
    const busy = await run('cd /mnt/a; umount /mnt/a');
    expect(busy.status).toBe(32);
    expect(busy.stderr).toMatch(/^umount: \/mnt\/a: target is busy\.\n/);
    expect(await run('umount /mnt/a; umount /mnt/a')).toMatchObject({ status: 32, stderr: 'umount: /mnt/a: not mounted\n' });
  });
  it('says what it cannot find', async () => {
    expect((await run('mount /nowhere')).stderr).toBe("mount: can't find /nowhere in /etc/fstab\n");
    expect((await run('mount -t nosuch none /mnt')).stderr).toBe("mount: unknown filesystem type 'nosuch'\n");
  });
});

describe('accounts', () => {
  it('adds, changes and removes a user', async () => {
    expect(await run('useradd kim && id kim && ls -A /home/kim')).toMatchObject({
      status: 0,
      stdout: 'uid=1001(kim) gid=1001(kim) groups=1001(kim)\n.bash_logout\n.bash_profile\n.bashrc\n',
    });
    expect((await run('useradd kim')).stderr).toBe("useradd: user 'kim' already exists\n");
    expect((await run('su - kim -c whoami')).stdout).toBe('kim\n');
    expect((await run("su - vagrant -c 'sudo whoami; su -c id'")).stdout).toBe('root\n');
    expect((await run('userdel -r kim; id kim')).stderr).toBe('id: kim: no such user\n');
    expect((await run('su nobodyhere')).stderr).toBe('su: user nobodyhere does not exist\n');
  });
});

describe('top', () => {
  it('prints one frame in batch mode', async () => {
    const { status, stdout } = await run('top -b -n 1');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^top - \d\d:\d\d:\d\d up [\s\S]*\nKiB Mem : +\d+ total, [\s\S]*\n {2}PID USER {6}PR {2}NI[\s\S]* systemd\n/);
  });
});
