// What a machine's kernel logs while it boots on VirtualBox's hardware, in seconds from its start.

import type { MachineSpec } from './machine.ts';

export interface BootLine {
  readonly atMs: number;
  readonly text: string;
}

/** The kernel's own part of the boot, up to init. */
export function bootLog(spec: MachineSpec, release: string): readonly BootLine[] {
  const kib = Math.floor(spec.memoryBytes / 1024);
  const lines: readonly (readonly [number, string])[] = [
    [0, 'Initializing cgroup subsys cpuset'],
    [0, 'Initializing cgroup subsys cpu'],
    [0, 'Initializing cgroup subsys cpuacct'],
    [0, `Linux version ${release} (mockbuild@kbuilder.bsys.centos.org) (gcc version 4.8.5 20150623 (Red Hat 4.8.5-44) (GCC) ) #1 SMP`],
    [
      0,
      `Command line: BOOT_IMAGE=/vmlinuz-${release} root=/dev/mapper/centos_k8s-root ro no_timer_check net.ifnames=0 biosdevname=0 elevator=noop crashkernel=auto rd.lvm.lv=centos_k8s/root rd.lvm.lv=centos_k8s/swap rhgb quiet`,
    ],
    [0, 'e820: BIOS-provided physical RAM map:'],
    [0, 'SMBIOS 2.5 present.'],
    [0, 'DMI: innotek GmbH VirtualBox/VirtualBox, BIOS VirtualBox 12/01/2006'],
    [0, 'Hypervisor detected: KVM'],
    [0, 'kvm-clock: Using msrs 4b564d01 and 4b564d00'],
    [0, `smpboot: Allowing ${spec.cpus} CPUs, 0 hotplug CPUs`],
    [0, `Memory: ${kib - 90_000}k/${kib}k available (7792k kernel code, 392k absent, 89608k reserved, 5952k data, 1980k init)`],
    [1, 'console [tty0] enabled'],
    [30, 'SELinux:  Initializing.'],
    [60, `smpboot: CPU0: Intel(R) Core(TM) i7-8750H CPU @ 2.20GHz (fam: 06, model: 9e, stepping: 0a)`],
    [150, `Brought up ${spec.cpus} CPUs`],
    [160, 'devtmpfs: initialized'],
    [220, 'NET: Registered protocol family 16'],
    [310, 'SCSI subsystem initialized'],
    [420, 'NET: Registered protocol family 2'],
    [430, 'TCP: Hash tables configured (established 16384 bind 16384)'],
    [520, 'Unpacking initramfs...'],
    [1100, 'Freeing initrd memory: 21428k freed'],
    [1250, 'rtc_cmos rtc_cmos: setting system clock'],
    [1400, 'Freeing unused kernel memory: 1980k freed'],
    [1600, 'scsi host0: ata_piix'],
    [1700, 'ata1.00: ATA-6: VBOX HARDDISK, 1.0, max UDMA/133'],
    [1720, 'scsi 0:0:0:0: Direct-Access     ATA      VBOX HARDDISK    1.0  PQ: 0 ANSI: 5'],
    [1750, 'sd 0:0:0:0: [sda] 83886080 512-byte logical blocks: (42.9 GB/40.0 GiB)'],
    [1760, ' sda: sda1 sda2'],
    [1780, 'sd 0:0:0:0: [sda] Attached SCSI disk'],
    [1900, 'e1000: Intel(R) PRO/1000 Network Driver - version 7.3.21-k8-NAPI'],
    [2250, `e1000 0000:00:03.0 eth0: (PCI:33MHz:32-bit) ${spec.natMac}`],
    [2260, 'e1000 0000:00:03.0 eth0: Intel(R) PRO/1000 Network Connection'],
    [2600, `e1000 0000:00:08.0 eth1: (PCI:33MHz:32-bit) ${spec.mac}`],
    [2610, 'e1000 0000:00:08.0 eth1: Intel(R) PRO/1000 Network Connection'],
    [2900, 'device-mapper: ioctl: 4.37.1-ioctl (2018-04-03) initialised: dm-devel@redhat.com'],
    [3100, 'SGI XFS with ACLs, security attributes, no debug enabled'],
    [3150, 'XFS (dm-0): Mounting V5 Filesystem'],
    [3300, 'XFS (dm-0): Ending clean mount'],
    [3700, 'XFS (sda1): Mounting V5 Filesystem'],
    [3800, 'XFS (sda1): Ending clean mount'],
  ];
  return lines.map(([atMs, text]) => ({ atMs, text }));
}
