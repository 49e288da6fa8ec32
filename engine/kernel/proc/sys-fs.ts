// Models sysfs as far as programs look into it: net links, modules, block devices, cgroup's mount point.

import { ComputedFs, directory, file, type ComputedNode } from '../../fs/computed-fs.ts';
import type { LinkView } from '../../net/net-stack.ts';
import type { LinuxKernel } from '../linux-kernel.ts';

export function sysFs(kernel: LinuxKernel): ComputedFs {
  const empty = directory(new Map());
  const root = directory(
    new Map<string, ComputedNode>([
      ['block', directory(new Map(['sda', 'dm-0', 'dm-1'].map((name) => [name, blockDevice(name)] as const)))],
      ['bus', empty],
      [
        'class',
        directory(
          new Map<string, ComputedNode>([
            ['net', netClass(kernel)],
            ['dmi', directory(new Map([['id', dmi()]]))],
          ]),
        ),
      ],
      ['dev', empty],
      [
        'devices',
        directory(
          new Map<string, ComputedNode>([
            ['system', directory(new Map([['cpu', cpus(kernel)]]))],
            ['virtual', directory(new Map([['dmi', directory(new Map([['id', dmi()]]))]]))],
          ]),
        ),
      ],
      ['firmware', empty],
      [
        'fs',
        directory(
          new Map<string, ComputedNode>([
            ['cgroup', empty],
            ['selinux', selinux()],
            ['xfs', empty],
          ]),
        ),
      ],
      ['hypervisor', empty],
      [
        'kernel',
        directory(
          new Map<string, ComputedNode>([
            ['mm', empty],
            ['security', empty],
          ]),
        ),
      ],
      ['module', modules(kernel)],
      ['power', empty],
    ]),
  );
  return new ComputedFs({ type: 'sysfs', dev: 16, now: () => kernel.now(), root });
}

function netClass(kernel: LinuxKernel): ComputedNode {
  const links = (): readonly LinkView[] => kernel.netNamespaces.get(kernel.viewer?.netNamespace ?? 'host').links();
  return {
    kind: 'directory',
    names: () => links().map((link) => link.name),
    lookup: (name) => {
      const find = (): LinkView | undefined => links().find((link) => link.name === name);
      if (find() === undefined) return undefined;
      const show = (get: (link: LinkView) => string | number): ComputedNode =>
        file(() => {
          const link = find();
          return link === undefined ? '' : `${get(link)}\n`;
        });
      const statistics = new Map<string, ComputedNode>([
        ['rx_bytes', show((link) => link.statistics.rxBytes)],
        ['rx_packets', show((link) => link.statistics.rxPackets)],
        ['rx_dropped', show((link) => link.statistics.rxDropped)],
        ['tx_bytes', show((link) => link.statistics.txBytes)],
        ['tx_packets', show((link) => link.statistics.txPackets)],
      ]);
      return directory(
        new Map<string, ComputedNode>([
          ['address', show((link) => link.mac || '00:00:00:00:00:00')],
          ['carrier', show((link) => (link.hasCarrier ? 1 : 0))],
          ['ifindex', show((link) => link.index)],
          ['iflink', show((link) => link.peer?.index ?? link.index)],
          ['mtu', show((link) => link.mtu)],
          ['operstate', show((link) => (link.kind === 'loopback' ? 'unknown' : link.isUp && link.hasCarrier ? 'up' : 'down'))],
          ['speed', show(() => 1000)],
          ['statistics', directory(statistics)],
          ['type', show((link) => (link.kind === 'loopback' ? 772 : link.kind === 'ipip' ? 768 : 1))],
        ]),
      );
    },
  };
}

function modules(kernel: LinuxKernel): ComputedNode {
  return {
    kind: 'directory',
    names: () => kernel.modules.list().map((module) => module.name),
    lookup: (name) => {
      const module = kernel.modules.list().find((one) => one.name === name);
      if (module === undefined) return undefined;
      return directory(
        new Map<string, ComputedNode>([
          ['coresize', file(() => `${module.sizeBytes}\n`)],
          ['initstate', file(() => 'live\n')],
          ['refcnt', file(() => `${module.references + module.usedBy.length}\n`)],
        ]),
      );
    },
  };
}

const SECTORS: Readonly<Record<string, number>> = { sda: 83886080, 'dm-0': 77578240, 'dm-1': 4194304 };

function blockDevice(name: string): ComputedNode {
  return directory(
    new Map<string, ComputedNode>([
      ['removable', file(() => '0\n')],
      ['ro', file(() => '0\n')],
      ['size', file(() => `${SECTORS[name]}\n`)],
    ]),
  );
}

function cpus(kernel: LinuxKernel): ComputedNode {
  const range = kernel.cpus > 1 ? `0-${kernel.cpus - 1}` : '0';
  const entries = new Map<string, ComputedNode>(['online', 'possible', 'present'].map((name) => [name, file(() => `${range}\n`)] as const));
  for (let cpu = 0; cpu < kernel.cpus; cpu++) entries.set(`cpu${cpu}`, directory(new Map()));
  return directory(entries);
}

function dmi(): ComputedNode {
  return directory(
    new Map<string, ComputedNode>([
      ['bios_vendor', file(() => 'innotek GmbH\n')],
      ['product_name', file(() => 'VirtualBox\n')],
      ['sys_vendor', file(() => 'innotek GmbH\n')],
    ]),
  );
}

function selinux(): ComputedNode {
  return directory(new Map<string, ComputedNode>([['enforce', file(() => '0')]]));
}
