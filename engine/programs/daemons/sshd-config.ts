// Models sshd_config(5) as far as our sshd obeys it; keywords that exist but have nothing to act on are accepted.

export interface SshdConfig {
  readonly ports: readonly number[];
  readonly listenAddresses: readonly string[];
  readonly permitRootLogin: 'yes' | 'no' | 'keys-only';
  readonly password: boolean;
  readonly publicKey: boolean;
  readonly maxAuthTries: number;
  readonly printMotd: boolean;
  readonly printLastLog: boolean;
  readonly banner: string | undefined;
  readonly allowUsers: readonly string[];
  readonly denyUsers: readonly string[];
}

const OTHER_KEYWORDS = new Set(
  (
    'acceptenv addressfamily allowagentforwarding allowgroups allowstreamlocalforwarding allowtcpforwarding authenticationmethods ' +
    'authorizedkeyscommand authorizedkeyscommanduser authorizedkeysfile authorizedprincipalsfile challengeresponseauthentication ' +
    'chrootdirectory ciphers clientalivecountmax clientaliveinterval compression denygroups exposeauthinfo fingerprinthash forcecommand ' +
    'gatewayports gssapiauthentication gssapicleanupcredentials gssapikeyexchange gssapistrictacceptorcheck gssapistorecredentialsonrekey ' +
    'hostbasedauthentication hostcertificate hostkey hostkeyagent hostkeyalgorithms ignorerhosts ignoreuserknownhosts ipqos ' +
    'kbdinteractiveauthentication kerberosauthentication kerberosgetafstoken kerberosorlocalpasswd kerberosticketcleanup kexalgorithms ' +
    'keyregenerationinterval logingracetime loglevel macs match maxsessions maxstartups permitemptypasswords permitopen permittty ' +
    'permittunnel permituserenvironment permituserrc pidfile protocol pubkeyacceptedkeytypes rekeylimit revokedkeys rhostsrsaauthentication ' +
    'rsaauthentication serverkeybits showpatchlevel streamlocalbindmask streamlocalbindunlink strictmodes subsystem syslogfacility ' +
    'tcpkeepalive trustedusercakeys usedns uselogin usepam useprivilegeseparation versionaddendum x11displayoffset x11forwarding ' +
    'x11uselocalhost xauthlocation'
  ).split(' '),
);

/** The configuration, or what sshd prints before it gives up. */
export function readSshdConfig(text: string): SshdConfig | string {
  const values = new Map<string, string[]>();
  const lists = new Map<string, string[]>();
  let bad = '';
  let badCount = 0;
  text.split('\n').forEach((line, at) => {
    const [keyword, ...rest] = line
      .replace(/^\s*#.*$/, '')
      .trim()
      .split(/[\s=]+/);
    if (keyword === undefined || keyword === '') return;
    const key = keyword.toLowerCase();
    if (['port', 'listenaddress', 'allowusers', 'denyusers'].includes(key)) lists.set(key, [...(lists.get(key) ?? []), ...rest]);
    else if (
      ['permitrootlogin', 'passwordauthentication', 'pubkeyauthentication', 'maxauthtries', 'printmotd', 'printlastlog', 'banner'].includes(
        key,
      )
    ) {
      // The first value of a keyword counts.
      if (!values.has(key)) values.set(key, rest);
    } else if (!OTHER_KEYWORDS.has(key)) {
      bad += `/etc/ssh/sshd_config: line ${at + 1}: Bad configuration option: ${keyword}\n`;
      badCount++;
    }
  });
  if (badCount > 0) return `${bad}/etc/ssh/sshd_config: terminating, ${badCount} bad configuration options\n`;
  const isOn = (key: string, otherwise: boolean): boolean => {
    const value = values.get(key)?.[0]?.toLowerCase();
    return value === undefined ? otherwise : value === 'yes';
  };
  const root = values.get('permitrootlogin')?.[0]?.toLowerCase() ?? 'yes';
  const banner = values.get('banner')?.[0];
  return {
    ports: (lists.get('port') ?? ['22']).map(Number),
    listenAddresses: (lists.get('listenaddress') ?? ['0.0.0.0']).filter((address) => !address.includes('::')),
    permitRootLogin: root === 'no' ? 'no' : root === 'yes' ? 'yes' : 'keys-only',
    password: isOn('passwordauthentication', true),
    publicKey: isOn('pubkeyauthentication', true),
    maxAuthTries: Number(values.get('maxauthtries')?.[0] ?? 6),
    printMotd: isOn('printmotd', true),
    printLastLog: isOn('printlastlog', true),
    banner: banner === undefined || banner === 'none' ? undefined : banner,
    allowUsers: lists.get('allowusers') ?? [],
    denyUsers: lists.get('denyusers') ?? [],
  };
}
