// Unit files of the base image and the links of what is enabled in it.

const WANTED = '[Install]\nWantedBy=multi-user.target\n';

interface ServiceOptions {
  readonly description: string;
  readonly unit?: readonly string[];
  readonly service: readonly string[];
  /** Lines of [Install]; left out: wanted by multi-user.target. Empty: static. */
  readonly install?: string;
}

function service({ description, unit = [], service: lines, install = WANTED }: ServiceOptions): string {
  const body = [`[Unit]`, `Description=${description}`, ...unit, '', '[Service]', ...lines, ''].join('\n');
  return install === '' ? body : `${body}\n${install}`;
}

function target(description: string, ...lines: readonly string[]): string {
  return ['[Unit]', `Description=${description}`, ...lines, ''].join('\n');
}

const KUBELET = service({
  description: 'kubelet: The Kubernetes Node Agent',
  unit: ['Documentation=https://kubernetes.io/docs/home/', 'Wants=network-online.target', 'After=network-online.target'],
  service: ['ExecStart=/usr/bin/kubelet', 'Restart=always', 'StartLimitInterval=0', 'RestartSec=10'],
});

const KUBEADM_DROP_IN = `# Note: This dropin only works with kubeadm and kubelet v1.11+
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
# This is a file that "kubeadm init" and "kubeadm join" generates at runtime, populating the KUBELET_KUBEADM_ARGS variable dynamically
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
# This is a file that the user can use for overrides of the kubelet args as a last resort. Preferably, the user should use
# the .NodeRegistration.KubeletExtraArgs object in the configuration files instead. KUBELET_EXTRA_ARGS should be sourced from this file.
EnvironmentFile=-/etc/sysconfig/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`;

const DOCKER = service({
  description: 'Docker Application Container Engine',
  unit: [
    'Documentation=https://docs.docker.com',
    'BindsTo=containerd.service',
    'After=network-online.target firewalld.service containerd.service',
    'Wants=network-online.target',
    'StartLimitBurst=3',
    'StartLimitInterval=60s',
  ],
  service: [
    'Type=notify',
    'ExecStart=/usr/bin/dockerd -H unix:///var/run/docker.sock --containerd=/run/containerd/containerd.sock',
    'ExecReload=/bin/kill -s HUP $MAINPID',
    'TimeoutSec=0',
    'RestartSec=2',
    'Restart=always',
    'LimitNOFILE=infinity',
    'LimitNPROC=infinity',
    'LimitCORE=infinity',
    'TasksMax=infinity',
    'Delegate=yes',
    'KillMode=process',
  ],
});

const CONTAINERD = service({
  description: 'containerd container runtime',
  unit: ['Documentation=https://containerd.io', 'After=network.target'],
  service: [
    'ExecStartPre=-/sbin/modprobe overlay',
    'ExecStart=/usr/bin/containerd',
    'KillMode=process',
    'Delegate=yes',
    'LimitNOFILE=1048576',
    'LimitNPROC=infinity',
    'LimitCORE=infinity',
    'TasksMax=infinity',
  ],
});

const SSHD = service({
  description: 'OpenSSH server daemon',
  unit: ['Documentation=man:sshd(8) man:sshd_config(5)', 'After=network.target sshd-keygen.service', 'Wants=sshd-keygen.service'],
  service: [
    'EnvironmentFile=/etc/sysconfig/sshd',
    'ExecStart=/usr/sbin/sshd -D $OPTIONS',
    'ExecReload=/bin/kill -HUP $MAINPID',
    'KillMode=process',
    'Restart=on-failure',
    'RestartSec=42s',
  ],
});

const NETWORK = service({
  description: 'LSB: Bring up/down networking',
  unit: [
    'Documentation=man:systemd-sysv-generator(8)',
    'SourcePath=/etc/rc.d/init.d/network',
    'Wants=network.target',
    'Before=network.target',
  ],
  service: [
    'Type=oneshot',
    'RemainAfterExit=yes',
    'TimeoutSec=5min',
    'KillMode=process',
    'ExecStart=/etc/rc.d/init.d/network start',
    'ExecStop=/etc/rc.d/init.d/network stop',
  ],
});

const GETTY = service({
  description: 'Getty on %I',
  unit: ['Documentation=man:agetty(8)', 'After=systemd-user-sessions.service rc-local.service', 'Before=getty.target'],
  service: [
    'ExecStart=-/sbin/agetty --noclear %I $TERM',
    'Type=idle',
    'Restart=always',
    'RestartSec=0',
    'TTYPath=/dev/%I',
    'StandardInput=tty',
    'StandardOutput=inherit',
    'KillMode=process',
    'IgnoreSIGPIPE=no',
    'SendSIGHUP=yes',
  ],
  install: '[Install]\nWantedBy=getty.target\nDefaultInstance=tty1\n',
});

const SYSCTL = service({
  description: 'Apply Kernel Variables',
  unit: ['Documentation=man:systemd-sysctl.service(8) man:sysctl.d(5)', 'DefaultDependencies=no', 'Before=sysinit.target shutdown.target'],
  service: ['Type=oneshot', 'RemainAfterExit=yes', 'ExecStart=/usr/lib/systemd/systemd-sysctl'],
  install: '',
});

const TMPFILES_SETUP = service({
  description: 'Create Volatile Files and Directories',
  unit: [
    'Documentation=man:tmpfiles.d(5) man:systemd-tmpfiles(8)',
    'DefaultDependencies=no',
    'After=local-fs.target',
    'Before=sysinit.target shutdown.target',
  ],
  service: ['Type=oneshot', 'RemainAfterExit=yes', 'ExecStart=/usr/bin/systemd-tmpfiles --create --remove --boot --exclude-prefix=/dev'],
  install: '',
});

const MODULES_LOAD = service({
  description: 'Load Kernel Modules',
  unit: [
    'Documentation=man:systemd-modules-load.service(8) man:modules-load.d(5)',
    'DefaultDependencies=no',
    'Before=sysinit.target systemd-sysctl.service',
  ],
  service: ['Type=oneshot', 'RemainAfterExit=yes', 'ExecStart=/usr/lib/systemd/systemd-modules-load'],
  install: '',
});

function daemon(
  description: string,
  command: string,
  options: {
    readonly after?: string;
    readonly unit?: readonly string[];
    readonly service?: readonly string[];
    readonly install?: string;
  } = {},
): string {
  return service({
    description,
    unit: [...(options.after === undefined ? [] : [`After=${options.after}`]), ...(options.unit ?? [])],
    service: [`ExecStart=${command}`, ...(options.service ?? [])],
    ...(options.install === undefined ? {} : { install: options.install }),
  });
}

export const UNIT_FILES: ReadonlyMap<string, string> = new Map([
  [
    'basic.target',
    target(
      'Basic System',
      'Requires=sysinit.target',
      'After=sysinit.target',
      'Wants=sockets.target timers.target paths.target slices.target',
    ),
  ],
  ['ctrl-alt-del.target', target('Reboot', 'DefaultDependencies=no', 'AllowIsolate=yes')],
  ['emergency.target', target('Emergency Mode', 'AllowIsolate=yes')],
  ['final.target', target('Final Step', 'DefaultDependencies=no')],
  ['getty.target', target('Login Prompts')],
  ['graphical.target', target('Graphical Interface', 'Requires=multi-user.target', 'After=multi-user.target', 'AllowIsolate=yes')],
  ['halt.target', target('Halt', 'DefaultDependencies=no', 'AllowIsolate=yes')],
  ['local-fs.target', target('Local File Systems')],
  [
    'multi-user.target',
    target(
      'Multi-User System',
      'Documentation=man:systemd.special(7)',
      'Requires=basic.target',
      'Conflicts=rescue.service rescue.target',
      'After=basic.target rescue.service rescue.target',
      'AllowIsolate=yes',
    ),
  ],
  ['network.target', target('Network', 'After=network-pre.target', 'RefuseManualStart=yes')],
  ['network-online.target', target('Network is Online', 'After=network.target')],
  ['network-pre.target', target('Network (Pre)')],
  [
    'nfs-client.target',
    `${target('NFS client services', 'Before=remote-fs-pre.target')}\n[Install]\nWantedBy=multi-user.target\nWantedBy=remote-fs.target\n`,
  ],
  ['paths.target', target('Paths')],
  ['poweroff.target', target('Power-Off', 'DefaultDependencies=no', 'AllowIsolate=yes')],
  ['reboot.target', target('Reboot', 'DefaultDependencies=no', 'AllowIsolate=yes')],
  ['remote-fs.target', `${target('Remote File Systems')}\n${WANTED}`],
  ['rescue.target', target('Rescue Mode', 'Requires=sysinit.target', 'AllowIsolate=yes')],
  ['shutdown.target', target('Shutdown', 'DefaultDependencies=no')],
  ['slices.target', target('Slices')],
  ['sockets.target', target('Sockets')],
  ['swap.target', target('Swap')],
  ['sysinit.target', target('System Initialization', 'Wants=local-fs.target swap.target', 'After=local-fs.target swap.target')],
  ['timers.target', target('Timers')],
  ['umount.target', target('Unmount All Filesystems', 'DefaultDependencies=no')],
  [
    'auditd.service',
    daemon('Security Auditing Service', '/sbin/auditd', { unit: ['Documentation=man:auditd(8)', 'RefuseManualStop=yes'] }),
  ],
  [
    'chronyd.service',
    daemon('NTP client/server', '/usr/sbin/chronyd $OPTIONS', {
      after: 'network.target',
      unit: ['Documentation=man:chronyd(8) man:chrony.conf(5)'],
      service: ['EnvironmentFile=-/etc/sysconfig/chronyd'],
    }),
  ],
  ['containerd.service', CONTAINERD],
  [
    'crond.service',
    daemon('Command Scheduler', '/usr/sbin/crond -n $CRONDARGS', {
      after: 'auditd.service systemd-user-sessions.service time-sync.target',
      service: ['EnvironmentFile=/etc/sysconfig/crond', 'ExecReload=/bin/kill -HUP $MAINPID', 'KillMode=process'],
    }),
  ],
  [
    'dbus.service',
    daemon('D-Bus System Message Bus', '/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation', {
      unit: ['Documentation=man:dbus-daemon(1)'],
      install: '',
    }),
  ],
  ['docker.service', DOCKER],
  [
    'firewalld.service',
    service({
      description: 'firewalld - dynamic firewall daemon',
      unit: [
        'Documentation=man:firewalld(1)',
        'Before=network-pre.target',
        'Wants=network-pre.target',
        'After=dbus.service',
        'After=polkit.service',
        'Conflicts=iptables.service ip6tables.service ebtables.service ipset.service',
      ],
      service: ['ExecStart=/usr/sbin/firewalld --nofork --nopid', 'ExecReload=/bin/kill -HUP $MAINPID', 'KillMode=mixed'],
      install: '[Install]\nWantedBy=multi-user.target\nAlias=dbus-org.fedoraproject.FirewallD1.service\n',
    }),
  ],
  ['getty@.service', GETTY],
  ['gssproxy.service', daemon('GSSAPI Proxy Daemon', '/usr/sbin/gssproxy -D')],
  ['irqbalance.service', daemon('irqbalance daemon', '/usr/sbin/irqbalance --foreground $IRQBALANCE_ARGS')],
  ['kubelet.service', KUBELET],
  ['kubelet.service.d/10-kubeadm.conf', KUBEADM_DROP_IN],
  [
    'lvm2-lvmetad.service',
    daemon('LVM2 metadata daemon', '/usr/sbin/lvmetad -f', {
      unit: ['Documentation=man:lvmetad(8)', 'DefaultDependencies=no'],
      install: '[Install]\nWantedBy=sysinit.target\n',
    }),
  ],
  ['network.service', NETWORK],
  [
    'NetworkManager.service',
    daemon('Network Manager', '/usr/sbin/NetworkManager --no-daemon', {
      after: 'network-pre.target dbus.service',
      unit: ['Documentation=man:NetworkManager(8)', 'Wants=network.target', 'Before=network.target'],
      service: ['Restart=on-failure', 'KillMode=process'],
    }),
  ],
  [
    'nfs-server.service',
    service({
      description: 'NFS server and services',
      unit: [
        'Requires=network.target proc-fs-nfsd.mount',
        'Requires=nfs-mountd.service',
        'Wants=rpcbind.socket network-online.target',
        'After=network-online.target local-fs.target',
        'After=rpcbind.service',
      ],
      service: [
        'Type=oneshot',
        'RemainAfterExit=yes',
        'ExecStartPre=/usr/sbin/exportfs -r',
        'ExecStart=/usr/sbin/rpc.nfsd',
        'ExecStop=/usr/sbin/rpc.nfsd 0',
        'ExecStopPost=/usr/sbin/exportfs -au',
        'ExecReload=/usr/sbin/exportfs -r',
      ],
      install: '[Install]\nWantedBy=multi-user.target\nAlias=nfs.service\n',
    }),
  ],
  [
    'polkit.service',
    daemon('Authorization Manager', '/usr/lib/polkit-1/polkitd --no-debug', { unit: ['Documentation=man:polkit(8)'], install: '' }),
  ],
  ['postfix.service', daemon('Postfix Mail Transport Agent', '/usr/libexec/postfix/master -w', { after: 'syslog.target network.target' })],
  [
    'rpcbind.service',
    daemon('RPC bind service', '/sbin/rpcbind -w -f', {
      after: 'systemd-tmpfiles-setup.service',
      install: '[Install]\nAlso=rpcbind.socket\n',
    }),
  ],
  [
    'rpcbind.socket',
    '[Unit]\nDescription=RPCbind Server Activation Socket\n\n[Socket]\nListenStream=/var/run/rpcbind.sock\n\n[Install]\nWantedBy=sockets.target\n',
  ],
  [
    'rsyslog.service',
    daemon('System Logging Service', '/usr/sbin/rsyslogd -n $SYSLOGD_OPTIONS', {
      unit: ['Documentation=man:rsyslogd(8)', 'Documentation=http://www.rsyslog.com/doc/'],
      service: ['EnvironmentFile=-/etc/sysconfig/rsyslog', 'Restart=on-failure', 'UMask=0066'],
      install: '[Install]\nWantedBy=multi-user.target\n',
    }),
  ],
  ['sshd.service', SSHD],
  [
    'sshd-keygen.service',
    service({
      description: 'OpenSSH Server Key Generation',
      unit: ['ConditionFileNotEmpty=|!/etc/ssh/ssh_host_rsa_key'],
      service: ['Type=oneshot', 'ExecStart=/usr/sbin/sshd-keygen', 'RemainAfterExit=yes'],
      install: '',
    }),
  ],
  [
    'systemd-journald.service',
    daemon('Journal Service', '/usr/lib/systemd/systemd-journald', {
      unit: ['Documentation=man:systemd-journald.service(8) man:journald.conf(5)', 'DefaultDependencies=no'],
      install: '',
    }),
  ],
  [
    'systemd-logind.service',
    daemon('Login Service', '/usr/lib/systemd/systemd-logind', {
      unit: ['Documentation=man:systemd-logind.service(8) man:logind.conf(5)'],
      service: ['Restart=always', 'RestartSec=0'],
      install: '',
    }),
  ],
  ['systemd-modules-load.service', MODULES_LOAD],
  ['systemd-sysctl.service', SYSCTL],
  [
    'systemd-udevd.service',
    daemon('udev Kernel Device Manager', '/usr/lib/systemd/systemd-udevd', {
      unit: ['Documentation=man:systemd-udevd.service(8) man:udev(7)', 'DefaultDependencies=no'],
      service: ['Restart=always', 'RestartSec=0'],
      install: '',
    }),
  ],
  ['systemd-tmpfiles-setup.service', TMPFILES_SETUP],
  [
    'tuned.service',
    daemon('Dynamic System Tuning Daemon', '/usr/sbin/tuned -l -P', {
      after: 'systemd-sysctl.service network.target dbus.service',
      unit: ['Documentation=man:tuned(8)'],
    }),
  ],
  ['vboxadd-service.service', daemon('VirtualBox Guest Additions Service', '/usr/sbin/VBoxService -f')],
]);

const PACKAGE = '/usr/lib/systemd/system';
const ADMIN = '/etc/systemd/system';

function wants(by: string, names: readonly string[]): readonly (readonly [string, string])[] {
  return names.map((name) => [`${ADMIN}/${by}.wants/${name}`, `${PACKAGE}/${name.replace(/@\w+\./, '@.')}`] as const);
}

function staticWants(by: string, names: readonly string[]): readonly (readonly [string, string])[] {
  return names.map((name) => [`${PACKAGE}/${by}.wants/${name}`, `../${name}`] as const);
}

export const UNIT_LINKS: readonly (readonly [path: string, target: string])[] = [
  ...wants('multi-user.target', [
    'NetworkManager.service',
    'auditd.service',
    'chronyd.service',
    'containerd.service',
    'crond.service',
    'docker.service',
    'irqbalance.service',
    'kubelet.service',
    'network.service',
    'nfs-client.target',
    'postfix.service',
    'remote-fs.target',
    'rpcbind.service',
    'rsyslog.service',
    'sshd.service',
    'tuned.service',
    'vboxadd-service.service',
  ]),
  ...wants('getty.target', ['getty@tty1.service']),
  ...wants('sysinit.target', ['lvm2-lvmetad.service']),
  ...staticWants('sysinit.target', [
    'systemd-journald.service',
    'systemd-modules-load.service',
    'systemd-sysctl.service',
    'systemd-tmpfiles-setup.service',
    'systemd-udevd.service',
  ]),
  ...staticWants('multi-user.target', ['dbus.service', 'getty.target', 'systemd-logind.service', 'polkit.service']),
  [`${PACKAGE}/nfs.service`, 'nfs-server.service'],
  [`${PACKAGE}/runlevel0.target`, 'poweroff.target'],
  [`${PACKAGE}/runlevel1.target`, 'rescue.target'],
  [`${PACKAGE}/runlevel3.target`, 'multi-user.target'],
  [`${PACKAGE}/runlevel5.target`, 'graphical.target'],
  [`${PACKAGE}/runlevel6.target`, 'reboot.target'],
];
