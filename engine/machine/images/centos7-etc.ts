// Files under /etc and homes of the base image.

import type { ImageEntry } from '../../fs/image-tree.ts';

type Entry = readonly [path: string, entry: ImageEntry];

const GLOBAL_BASHRC = `# /etc/bashrc

if [ "$PS1" ]; then
  [ "$PS1" = "\\\\s-\\\\v\\\\\\$ " ] && PS1="[\\u@\\h \\W]\\\\$ "
fi

for i in /etc/profile.d/*.sh; do
  if [ -r "$i" ] && ! shopt -q login_shell; then
    . "$i" >/dev/null
  fi
done
unset i
`;

const PROFILE = `# /etc/profile

pathmunge () {
    case ":\${PATH}:" in
        *:"$1":*)
            ;;
        *)
            if [ "$2" = "after" ] ; then
                PATH=$PATH:$1
            else
                PATH=$1:$PATH
            fi
    esac
}

if [ -x /usr/bin/id ]; then
    if [ -z "$EUID" ]; then
        EUID=\`/usr/bin/id -u\`
        UID=\`/usr/bin/id -ru\`
    fi
    USER="\`/usr/bin/id -un\`"
    LOGNAME=$USER
    MAIL="/var/spool/mail/$USER"
fi

if [ "$EUID" = "0" ]; then
    pathmunge /usr/sbin
    pathmunge /usr/local/sbin
else
    pathmunge /usr/local/sbin after
    pathmunge /usr/sbin after
fi

HOSTNAME=\`/usr/bin/hostname 2>/dev/null\`
HISTSIZE=1000
export PATH USER LOGNAME MAIL HOSTNAME HISTSIZE HISTCONTROL

if [ $UID -gt 199 ] && [ "\`/usr/bin/id -gn\`" = "\`/usr/bin/id -un\`" ]; then
    umask 002
else
    umask 022
fi

for i in /etc/profile.d/*.sh ; do
    if [ -r "$i" ]; then
        if [ "$PS1" ]; then
            . "$i"
        else
            . "$i" >/dev/null
        fi
    fi
done

unset i
unset -f pathmunge

alias vi=vim
`;

const BASH_PROFILE = `# .bash_profile

# Get the aliases and functions
if [ -f ~/.bashrc ]; then
	. ~/.bashrc
fi

# User specific environment and startup programs

PATH=$PATH:$HOME/bin

export PATH
`;

const ROOT_BASHRC = `# .bashrc

# User specific aliases and functions

alias rm='rm -i'
alias cp='cp -i'
alias mv='mv -i'

# Source global definitions
if [ -f /etc/bashrc ]; then
	. /etc/bashrc
fi
`;

const USER_BASHRC = `# .bashrc

# Source global definitions
if [ -f /etc/bashrc ]; then
	. /etc/bashrc
fi

# User specific aliases and functions
`;

const COLORLS = `# color-ls initialization
alias ll='ls -l --color=auto' 2>/dev/null
alias l.='ls -d .* --color=auto' 2>/dev/null
alias ls='ls --color=auto' 2>/dev/null
`;

const COLORGREP = `alias grep='grep --color=auto' 2>/dev/null
alias egrep='egrep --color=auto' 2>/dev/null
alias fgrep='fgrep --color=auto' 2>/dev/null
`;

const LANG = `if [ -z "$LANG" ]; then
    LANG=en_US.UTF-8
    export LANG
fi
`;

const OS_RELEASE = `NAME="CentOS Linux"
VERSION="7 (Core)"
ID="centos"
ID_LIKE="rhel fedora"
VERSION_ID="7"
PRETTY_NAME="CentOS Linux 7 (Core)"
ANSI_COLOR="0;31"
CPE_NAME="cpe:/o:centos:centos:7"
HOME_URL="https://www.centos.org/"
BUG_REPORT_URL="https://bugs.centos.org/"

CENTOS_MANTISBT_PROJECT="CentOS-7"
CENTOS_MANTISBT_PROJECT_VERSION="7"
REDHAT_SUPPORT_PRODUCT="centos"
REDHAT_SUPPORT_PRODUCT_VERSION="7"

`;

const FSTAB = `
#
# /etc/fstab
# Created by anaconda
#
# Accessible filesystems, by reference, are maintained under '/dev/disk'
# See man pages fstab(5), findfs(8), mount(8) and/or blkid(8) for more info
#
/dev/mapper/centos_k8s-root /                       xfs     defaults        0 0
/dev/sda1 /boot                   xfs     defaults        0 0
#/dev/mapper/centos_k8s-swap swap                    swap    defaults        0 0
`;

const SSHD_CONFIG = `HostKey /etc/ssh/ssh_host_rsa_key
HostKey /etc/ssh/ssh_host_ecdsa_key
HostKey /etc/ssh/ssh_host_ed25519_key
SyslogFacility AUTHPRIV
AuthorizedKeysFile	.ssh/authorized_keys
PermitRootLogin yes
PasswordAuthentication yes
ChallengeResponseAuthentication no
GSSAPIAuthentication yes
GSSAPICleanupCredentials no
UsePAM yes
X11Forwarding yes
UseDNS no
Subsystem	sftp	/usr/libexec/openssh/sftp-server
`;

const KUBERNETES_REPO = `[kubernetes]
name=Kubernetes
baseurl=https://packages.cloud.google.com/yum/repos/kubernetes-el7-x86_64
enabled=1
gpgcheck=0
repo_gpgcheck=0
gpgkey=https://packages.cloud.google.com/yum/doc/yum-key.gpg https://packages.cloud.google.com/yum/doc/rpm-package-key.gpg
`;

const DOCKER_REPO = `[docker-ce-stable]
name=Docker CE Stable - $basearch
baseurl=https://download.docker.com/linux/centos/$releasever/$basearch/stable
enabled=1
gpgcheck=1
gpgkey=https://download.docker.com/linux/centos/gpg
`;

const BASE_REPO = `[base]
name=CentOS-$releasever - Base
mirrorlist=http://mirrorlist.centos.org/?release=$releasever&arch=$basearch&repo=os&infra=$infra
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-CentOS-7

[updates]
name=CentOS-$releasever - Updates
mirrorlist=http://mirrorlist.centos.org/?release=$releasever&arch=$basearch&repo=updates&infra=$infra
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-CentOS-7

[extras]
name=CentOS-$releasever - Extras
mirrorlist=http://mirrorlist.centos.org/?release=$releasever&arch=$basearch&repo=extras&infra=$infra
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-CentOS-7
`;

const CHRONY_CONF = `server 0.centos.pool.ntp.org iburst
server 1.centos.pool.ntp.org iburst
server 2.centos.pool.ntp.org iburst
server 3.centos.pool.ntp.org iburst
driftfile /var/lib/chrony/drift
makestep 1.0 3
rtcsync
logdir /var/log/chrony
`;

const SELINUX = `
# This file controls the state of SELinux on the system.
SELINUX=permissive
SELINUXTYPE=targeted


`;

const IFCFG_LO = `DEVICE=lo
IPADDR=127.0.0.1
NETMASK=255.0.0.0
NETWORK=127.0.0.0
BROADCAST=127.255.255.255
ONBOOT=yes
NAME=loopback
`;

const NSSWITCH = `passwd:     files sss
shadow:     files sss
group:      files sss
hosts:      files dns myhostname
services:   files sss
`;

const TMPFILES = `d /run/lock 0755 root root -
d /run/lock/subsys 0755 root root -
d /run/user 0755 root root -
d /run/log 0755 root root -
d /run/sudo 0711 root root -
d /run/netns 0755 root root -
d /run/faillock 0755 root root -
d /run/rpcbind 0700 rpc rpc -
d /run/chrony 0755 chrony chrony -
f /run/utmp 0664 root utmp -
`;

export const ETC_FILES: readonly Entry[] = [
  text('/usr/lib/tmpfiles.d/legacy.conf', TMPFILES),
  text('/etc/centos-release', 'CentOS Linux release 7.9.2009 (Core)\n'),
  text('/usr/lib/os-release', OS_RELEASE),
  text('/etc/system-release-cpe', 'cpe:/o:centos:linux:7\n'),
  text('/etc/issue', '\\S\nKernel \\r on an \\m\n\n'),
  text('/etc/issue.net', '\\S\nKernel \\r on an \\m\n'),
  text('/etc/motd', ''),
  text('/etc/hosts', hostsFile()),
  text('/etc/hosts.allow', ''),
  text('/etc/hosts.deny', ''),
  text('/etc/host.conf', 'multi on\n'),
  text('/etc/nsswitch.conf', NSSWITCH),
  text('/etc/resolv.conf', 'nameserver 1.1.1.1 #cloudflare DNS\nnameserver 8.8.8.8 #Google DNS\n'),
  text('/etc/fstab', FSTAB),
  text('/etc/fstab.bak', FSTAB.replace('\n#/dev/mapper/centos_k8s-swap', '\n/dev/mapper/centos_k8s-swap')),
  text('/etc/profile', PROFILE),
  text('/etc/bashrc', GLOBAL_BASHRC),
  text('/etc/profile.d/colorls.sh', COLORLS),
  text('/etc/profile.d/colorgrep.sh', COLORGREP),
  text('/etc/profile.d/lang.sh', LANG),
  text('/etc/shells', '/bin/sh\n/bin/bash\n/usr/bin/sh\n/usr/bin/bash\n'),
  text('/etc/environment', ''),
  text('/etc/locale.conf', 'LANG="en_US.UTF-8"\n'),
  text('/etc/vconsole.conf', 'KEYMAP="us"\nFONT="latarcyrheb-sun16"\n'),
  text('/etc/sysctl.conf', '# sysctl settings are defined through files in\n# /usr/lib/sysctl.d/, /run/sysctl.d/, and /etc/sysctl.d/.\n'),
  text('/etc/sysctl.d/k8s.conf', 'net.bridge.bridge-nf-call-ip6tables = 1\nnet.bridge.bridge-nf-call-iptables = 1\n'),
  text(
    '/usr/lib/sysctl.d/00-system.conf',
    'net.bridge.bridge-nf-call-ip6tables = 0\nnet.bridge.bridge-nf-call-iptables = 0\nnet.bridge.bridge-nf-call-arptables = 0\n',
  ),
  text('/usr/lib/sysctl.d/10-default-yama-scope.conf', '# When yama is enabled in the kernel: kernel.yama.ptrace_scope = 0\n'),
  text(
    '/usr/lib/sysctl.d/50-default.conf',
    'kernel.sysrq = 16\nkernel.core_uses_pid = 1\nnet.ipv4.conf.default.rp_filter = 1\nnet.ipv4.conf.all.rp_filter = 1\nnet.ipv4.conf.default.accept_source_route = 0\nnet.ipv4.conf.all.accept_source_route = 0\nnet.ipv4.conf.default.promote_secondaries = 1\nnet.ipv4.conf.all.promote_secondaries = 1\nfs.protected_hardlinks = 1\nfs.protected_symlinks = 1\n',
  ),
  text(
    '/etc/yum.conf',
    '[main]\ncachedir=/var/cache/yum/$basearch/$releasever\nkeepcache=0\ndebuglevel=2\nlogfile=/var/log/yum.log\nexactarch=1\nobsoletes=1\ngpgcheck=1\nplugins=1\ninstallonly_limit=5\n',
  ),
  text('/etc/yum.repos.d/CentOS-Base.repo', BASE_REPO),
  text('/etc/yum.repos.d/kubernetes.repo', KUBERNETES_REPO),
  text('/etc/yum.repos.d/docker-ce.repo', DOCKER_REPO),
  text('/etc/selinux/config', SELINUX),
  text('/etc/sysconfig/selinux', SELINUX),
  text('/etc/sysconfig/network', '# Created by anaconda\n'),
  text('/etc/sysconfig/kubelet', 'KUBELET_EXTRA_ARGS=\n'),
  text('/etc/sysconfig/sshd', 'SSH_USE_STRONG_RNG=0\n'),
  text('/etc/sysconfig/crond', 'CRONDARGS=\n'),
  text('/etc/sysconfig/chronyd', 'OPTIONS=""\n'),
  text('/etc/sysconfig/rsyslog', 'SYSLOGD_OPTIONS=""\n'),
  text('/etc/sysconfig/network-scripts/ifcfg-lo', IFCFG_LO),
  text('/etc/chrony.conf', CHRONY_CONF),
  text('/etc/crontab', 'SHELL=/bin/bash\nPATH=/sbin:/bin:/usr/sbin:/usr/bin\nMAILTO=root\n'),
  text('/etc/exports', ''),
  text('/etc/crictl.yaml', 'runtime-endpoint: unix:///var/run/dockershim.sock\n'),
  text('/etc/login.defs', 'UID_MIN                  1000\nGID_MIN                  1000\nUMASK           077\nENCRYPT_METHOD SHA512\n'),
  text('/etc/ssh/sshd_config', SSHD_CONFIG, 0o600),
  text('/etc/ssh/ssh_config', 'Host *\n\tGSSAPIAuthentication yes\n\tForwardX11Trusted yes\n\tSendEnv LANG LC_CTYPE\n'),
  text(
    '/etc/services',
    'ssh             22/tcp\ndomain          53/tcp\ndomain          53/udp\nhttp            80/tcp\nsunrpc          111/tcp\nhttps           443/tcp\nnfs             2049/tcp\n',
  ),
  text('/etc/protocols', 'ip\t0\tIP\nicmp\t1\tICMP\nipencap\t4\tIP-ENCAP\ntcp\t6\tTCP\nudp\t17\tUDP\n'),
  text('/etc/rc.d/rc.local', '#!/bin/bash\ntouch /var/lock/subsys/local\n'),
  text('/etc/skel/.bashrc', USER_BASHRC),
  text('/etc/skel/.bash_profile', BASH_PROFILE),
  text('/etc/skel/.bash_logout', '# ~/.bash_logout\n\n'),
  text('/root/.bashrc', ROOT_BASHRC),
  text('/root/.bash_profile', BASH_PROFILE),
  text('/root/.bash_logout', '# ~/.bash_logout\n\n'),
  text('/root/.cshrc', '# .cshrc\n'),
  text('/root/.tcshrc', '# .tcshrc\n'),
  owned('/home/vagrant/.bashrc', USER_BASHRC),
  owned('/home/vagrant/.bash_profile', BASH_PROFILE),
  owned('/home/vagrant/.bash_logout', '# ~/.bash_logout\n\n'),
  text('/var/log/messages', '', 0o600),
  text('/var/log/secure', '', 0o600),
  text('/var/log/cron', '', 0o600),
  text('/var/log/maillog', '', 0o600),
  text('/var/log/wtmp', '', 0o664),
  text('/var/log/lastlog', ''),
  text('/var/log/yum.log', '', 0o600),
  text('/usr/share/zoneinfo/Asia/Seoul', 'TZif2 KST-9\n'),
  text('/usr/share/zoneinfo/UTC', 'TZif2 UTC0\n'),
];

function hostsFile(): string {
  const local = 'localhost localhost.localdomain localhost4 localhost4.localdomain4';
  return `127.0.0.1   ${local}\n::1         localhost localhost.localdomain localhost6 localhost6.localdomain6\n`;
}

function text(path: string, contents: string, mode = 0o644): Entry {
  return [path, { kind: 'file', contents, mode }];
}

function owned(path: string, contents: string): Entry {
  return [path, { kind: 'file', contents, uid: 1000, gid: 1000 }];
}
