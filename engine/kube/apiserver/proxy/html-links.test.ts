import { describe, expect, it } from 'vitest';
import { joinPath, rewriteHtml, rewriteLink } from './html-links.ts';

const PREFIX = '/api/v1/namespaces/default/services/web/proxy';
const context = { prefix: PREFIX, pageHost: '10.0.0.1:80', requestHost: 'localhost:8001' };

describe('links of a proxied page', () => {
  it.each([
    ['an absolute path gets the prefix', '/a/b', `${PREFIX}/a/b`],
    ['a slash at the end stays', '/a/', `${PREFIX}/a/`],
    ['the root too', '/', `${PREFIX}/`],
    ['query and fragment stay', '/a?b=c#d', `${PREFIX}/a?b=c#d`],
    ['a relative path stays', 'a/b', 'a/b'],
    ['a fragment stays', '#top', '#top'],
    ['another host stays', 'http://example.com/a', 'http://example.com/a'],
    ['the page’s own host is left out', 'http://10.0.0.1:80/a', `${PREFIX}/a`],
    ['the address the client uses is kept', 'http://localhost:8001/a', `http://localhost:8001${PREFIX}/a`],
    ['what has the prefix already stays', `${PREFIX}/a`, `${PREFIX}/a`],
    ['a mail address stays', 'mailto:a@b', 'mailto:a@b'],
  ])('%s', (_, link, want) => {
    expect(rewriteLink(link, context)).toBe(want);
  });

  it.each([
    ['a link', `<a href="/x">x</a>`, `<a href="${PREFIX}/x">x</a>`],
    ['an image without quotes', `<IMG SRC=/x.png>`, `<img src="${PREFIX}/x.png">`],
    ['other attributes stay', `<a class='c' href='/x' data-y>`, `<a class="c" href="${PREFIX}/x" data-y="">`],
    ['other elements stay byte for byte', `<P Class=c>a</P>`, `<P Class=c>a</P>`],
    ['scripts are no markup', `<script>"<a href='/x'>"</script><a href="/y">`, `<script>"<a href='/x'>"</script><a href="${PREFIX}/y">`],
    ['comments stay', `<!-- <a href="/x"> -->`, `<!-- <a href="/x"> -->`],
    ['ampersands', `<a href="/x?a=1&amp;b=2">`, `<a href="${PREFIX}/x?a=1&amp;b=2">`],
    ['a page that is cut off', `<a href="/x"><a hre`, `<a href="${PREFIX}/x"><a hre`],
  ])('in HTML: %s', (_, page, want) => {
    expect(rewriteHtml(page, context)).toBe(want);
  });

  it('paths are joined as Go joins them', () => {
    expect([joinPath('/a/', '/b/../c/'), joinPath('/'), joinPath('/a', '')]).toEqual(['/a/c', '/', '/a']);
  });
});
