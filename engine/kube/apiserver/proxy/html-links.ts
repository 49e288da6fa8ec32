// Models how the API server's proxy keeps links inside itself: in HTML pages and in redirects.

/** Attributes of elements that hold addresses. */
const LINKS: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['src', 'usemap', 'formaction'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  video: ['poster', 'src'],
};

export interface LinkContext {
  /** The path of the proxy up to the page's own root. */
  readonly prefix: string;
  /** Host of the page, `10.0.0.1:80`. */
  readonly pageHost: string;
  /** What the client asked by (Host). */
  readonly requestHost: string;
}

/** An absolute path of the page's own host gets the proxy's prefix; everything else stays. */
export function rewriteLink(link: string, context: LinkContext): string {
  const match = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)([^]*)$/i.exec(link);
  if (match === null) return link;
  const [, scheme, host = '', path = '', rest = ''] = match;
  if (scheme !== undefined && host === '') return link;
  const isElsewhere = host !== '' && host !== context.pageHost && host !== context.requestHost;
  if (isElsewhere || !path.startsWith('/')) return link;
  // What already names the address the client uses keeps it.
  const isKept = host !== '' && host === context.requestHost;
  const base = isKept && scheme !== undefined ? `${scheme}://${host}` : isKept ? `//${host}` : '';
  if (path.startsWith(context.prefix)) return `${base}${path}${rest}`;
  const joined = joinPath(context.prefix, path);
  return `${base}${joined}${path.endsWith('/') && !joined.endsWith('/') ? '/' : ''}${rest}`;
}

/** path.Join: one slash between, dots resolved, none at the end. */
export function joinPath(...paths: readonly string[]): string {
  const out: string[] = [];
  for (const part of paths.join('/').split('/')) {
    if (part === '..') out.pop();
    else if (part !== '' && part !== '.') out.push(part);
  }
  return `/${out.join('/')}`;
}

/** The page with its links rewritten; what holds none of them stays byte for byte. */
export function rewriteHtml(page: string, context: LinkContext): string {
  let out = '';
  let rest = page;
  let raw: string | undefined;
  while (rest !== '') {
    // Scripts and styles are no markup, whatever they contain.
    const end = raw === undefined ? undefined : new RegExp(`</${raw}[\\s/>]`, 'i').exec(rest);
    if (raw !== undefined) {
      const at = end?.index ?? rest.length;
      out += rest.slice(0, at);
      rest = rest.slice(at);
      raw = undefined;
      continue;
    }
    if (rest.startsWith('<!--')) {
      const close = rest.indexOf('-->', 4);
      const at = close < 0 ? rest.length : close + 3;
      out += rest.slice(0, at);
      rest = rest.slice(at);
      continue;
    }
    const tag = /^<([a-zA-Z][^\s/>]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/.exec(rest);
    if (tag !== null) {
      const name = tag[1]!.toLowerCase();
      const attributes = LINKS[name];
      out += attributes === undefined ? tag[0] : startTag(name, tag[2]!, attributes, context);
      rest = rest.slice(tag[0].length);
      if (name === 'script' || name === 'style' || name === 'textarea' || name === 'title') raw = name;
      continue;
    }
    const next = rest.indexOf('<', 1);
    const at = next < 0 ? rest.length : next;
    out += rest.slice(0, at);
    rest = rest.slice(at);
  }
  return out;
}

/** Written as Go's tokenizer writes a start tag again. */
function startTag(name: string, text: string, links: readonly string[], context: LinkContext): string {
  const isSelfClosing = /\/\s*$/.test(text);
  const attributes: string[] = [];
  for (const [, key = '', double, single, bare] of text.matchAll(/([^\s=/>"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?/g)) {
    const value = unescaped(double ?? single ?? bare ?? '');
    const lower = key.toLowerCase();
    attributes.push(` ${lower}="${escaped(links.includes(lower) ? rewriteLink(value, context) : value)}"`);
  }
  return `<${name}${attributes.join('')}${isSelfClosing ? '/' : ''}>`;
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

function unescaped(text: string): string {
  return text.replaceAll(/&(#\d+|#x[0-9a-f]+|[a-z]+);/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return NAMED[name] ?? whole;
    const code = name[1] === 'x' || name[1] === 'X' ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code > 0 && code < 0x110000 ? String.fromCodePoint(code) : whole;
  });
}

function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;', '\r': '&#13;' };
  return text.replaceAll(/[&<>"'\r]/g, (letter) => names[letter]!);
}
