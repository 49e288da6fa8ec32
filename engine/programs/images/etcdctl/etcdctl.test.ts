import { describe, expect, it } from 'vitest';
import type { Process } from '../../../kernel/process.ts';
import { utf8 } from '../../../sim/bytes.ts';
import { readAll, TestKernel } from '../../../../tests/support/test-kernel.ts';
import { etcd } from '../etcd.ts';
import { etcdctl } from './index.ts';

interface Said {
  readonly out: string;
  readonly err: string;
  readonly status: number;
}

/** etcd on loopback without TLS, and a shell's way to call etcdctl. */
function withEtcd<T>(
  use: (call: (line: string, stdin?: string) => Promise<Said>, process: Process, pid: number) => Promise<T>,
): Promise<T> {
  const machine = new TestKernel({ programs: [etcd, etcdctl] });
  return machine.run(
    async (process) => {
      const { sys } = process;
      sys.net.setLink('lo', { isUp: true });
      const pid = sys.spawn('/usr/bin/etcd', [
        'etcd',
        '--name=m-k8s',
        '--data-dir=/var/lib/etcd',
        '--initial-advertise-peer-urls=http://localhost:2380',
        '--listen-client-urls=http://127.0.0.1:2379',
        '--advertise-client-urls=http://127.0.0.1:2379',
      ]);
      await sys.sleep(100);
      const call = async (line: string, stdin = ''): Promise<Said> => {
        const [outRead, outWrite] = sys.pipe();
        const [errRead, errWrite] = sys.pipe();
        const [inRead, inWrite] = sys.pipe();
        const argv = ['etcdctl', ...[...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2]!)];
        const child = sys.spawn('/usr/bin/etcdctl', argv, {
          fds: new Map([
            [0, inRead],
            [1, outWrite],
            [2, errWrite],
          ]),
        });
        for (const fd of [outWrite, errWrite, inRead]) sys.close(fd);
        await sys.file(inWrite).write(utf8(stdin));
        sys.close(inWrite);
        const [out, err] = await Promise.all([readAll(process, outRead), readAll(process, errRead)]);
        const ended = await sys.wait(child);
        return { out, err, status: ended?.kind === 'exited' ? ended.status : -1 };
      };
      return use(call, process, pid);
    },
    { withinMs: 300_000 },
  );
}

describe('etcdctl', () => {
  it('prints keys in the forms of 3.4', async () => {
    await withEtcd(async (call) => {
      expect(await call('put /a 1')).toEqual({ out: 'OK\n', err: '', status: 0 });
      await call('put /b 2');
      await call('put /b 3');
      expect((await call('put /b 4 --prev-kv')).out).toBe('OK\n/b\n3\n');
      expect((await call("get '' --prefix")).out).toBe('/a\n1\n/b\n4\n');
      expect((await call("--endpoints 127.0.0.1:2379 --dial-timeout 2s get --prefix=true '' --keys-only")).out).toBe('/a\n\n/b\n\n');
      expect((await call('get /a /c --keys-only')).out).toBe('/a\n\n/b\n\n');
      expect((await call('get / --prefix --print-value-only --order=DESCEND')).out).toBe('4\n1\n');
      expect((await call('get / --from-key --limit=1')).out).toBe('/a\n1\n');
      expect((await call('get /b --rev=3')).out).toBe('/b\n2\n');
      expect((await call('get /b --rev=99')).err).toContain('Error: etcdserver: mvcc: required revision is a future revision\n');
      expect((await call('get /a -w json')).out).toBe(
        '{"header":{"cluster_id":14841639068965178418,"member_id":10276657743932975437,"revision":5,"raft_term":2},"kvs":[{"key":"L2E=","create_revision":2,"mod_revision":2,"version":1,"value":"MQ=="}],"count":1}\n',
      );
      expect((await call('get /b -w fields')).out).toContain(
        '"Key" : "/b"\n"CreateRevision" : 3\n"ModRevision" : 5\n"Version" : 3\n"Value" : "4"\n"Lease" : 0\n',
      );
      expect((await call('del / --prefix')).out).toBe('2\n');
      expect(await call('get')).toEqual({
        out: '',
        err: 'Error: get command needs one argument as key and an optional argument as range_end\n',
        status: 128,
      });
      expect((await call('nosuch')).err).toContain('Error: unknown command "nosuch" for "etcdctl"\n');
      expect((await call('get a --nosuch')).err).toBe('Error: unknown flag: --nosuch\n');
    });
  });

  it('compares, grants leases, compacts and tells of members', async () => {
    await withEtcd(async (call, { sys }) => {
      expect((await call('txn', 'create("/x") = "0"\n\nput /x 1\n\nget /x\n\n')).out).toBe('SUCCESS\n\nOK\n');
      expect((await call('txn', 'value("/x") = "9"\n\nput /x 2\n\nget /x\n\n')).out).toBe('FAILURE\n\n/x\n1\n');
      const granted = (await call('lease grant 60')).out;
      const id = /^lease ([0-9a-f]{16}) granted with TTL\(60s\)\n$/.exec(granted)![1]!;
      await call(`put /l 1 --lease=${id}`);
      await sys.sleep(5000);
      expect((await call(`lease timetolive ${id} --keys`)).out).toBe(
        `lease ${id} granted with TTL(60s), remaining(55s), attached keys([/l])\n`,
      );
      expect((await call('lease list')).out).toBe(`found 1 leases\n${id}\n`);
      await sys.sleep(60_000);
      expect((await call('get /l')).out).toBe('');
      expect((await call(`lease revoke ${id}`)).err).toBe('Error: failed to revoke lease (etcdserver: requested lease not found)\n');
      expect((await call('compaction 3')).out).toBe('compacted revision 3\n');
      expect((await call('get /x --rev=2')).err).toBe('Error: etcdserver: mvcc: required revision has been compacted\n');
      expect((await call('member list')).out).toBe(
        '8e9e05c52164694d, started, m-k8s, http://localhost:2380, http://127.0.0.1:2379, false\n',
      );
      expect((await call('endpoint status -w table')).out).toContain('| 127.0.0.1:2379 | 8e9e05c52164694d |  3.4.13 |');
      expect((await call('endpoint health')).out).toMatch(
        /^127\.0\.0\.1:2379 is healthy: successfully committed proposal: took = [0-9.]+ms\n$/,
      );
      expect((await call('move-leader 1')).err).toBe('Error: etcdserver: bad leader transferee\n');
    });
  });

  it('says what it waited for in vain', async () => {
    await withEtcd(async (call, { sys }, pid) => {
      sys.kill(pid, 'SIGTERM');
      await sys.sleep(100);
      const startedMs = sys.now();
      const { err, status } = await call('get /a');
      expect(sys.now() - startedMs).toBe(5000);
      expect(status).toBe(1);
      expect(err).toContain('"msg":"retrying of unary invoker failed"');
      expect(err).toContain(
        'latest connection error: connection error: desc = \\"transport: Error while dialing dial tcp 127.0.0.1:2379: connect: connection refused\\""}\nError: context deadline exceeded\n',
      );
      const health = await call('endpoint health');
      expect(health.err).toContain(
        '127.0.0.1:2379 is unhealthy: failed to commit proposal: context deadline exceeded\nError: unhealthy cluster\n',
      );
    });
  });

  it('saves a snapshot, describes it, and makes a data directory of it that etcd starts from', async () => {
    await withEtcd(async (call, { sys }, pid) => {
      await call('put /kept yes');
      const saved = await call('snapshot save /tmp/backup.db');
      expect(saved.out).toBe('Snapshot saved at /tmp/backup.db\n');
      expect(saved.err.split('\n')[0]).toContain('"msg":"created temporary db file","path":"/tmp/backup.db.part"}');
      await call('put /lost yes');
      const described = (await call('snapshot status /tmp/backup.db -w table')).out.split('\n');
      expect(described[1]).toMatch(/^\| +HASH +\| REVISION \| TOTAL KEYS \| TOTAL SIZE \|$/);
      expect(described[3]).toMatch(/^\| +[0-9a-f]+ +\| +2 \| +1 \|  +20 kB \|$/);
      expect((await call('snapshot restore /tmp/backup.db --data-dir /var/lib/etcd')).err).toBe('Error: data-dir "/var/lib/etcd" exists\n');
      expect((await call('snapshot restore /tmp/none --data-dir /tmp/x')).err).toContain(
        'Error: open /tmp/none: no such file or directory\n',
      );
      const restored = await call('snapshot restore /tmp/backup.db --data-dir /var/lib/etcd-new');
      expect(
        restored.err
          .trim()
          .split('\n')
          .map((each) => (JSON.parse(each) as { msg: string }).msg),
      ).toEqual(['restoring snapshot', 'restored last compact revision', 'added member', 'restored snapshot']);
      sys.kill(pid, 'SIGTERM');
      await sys.sleep(100);
      sys.spawn('/usr/bin/etcd', ['etcd', '--name=m-k8s', '--data-dir=/var/lib/etcd-new', '--listen-client-urls=http://127.0.0.1:2379']);
      await sys.sleep(100);
      expect((await call("get '' --prefix")).out).toBe('/kept\nyes\n');
    });
  });
});
