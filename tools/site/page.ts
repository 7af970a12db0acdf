// A page of the site: Markdown as HTML, with the links of the site.

import { Marked, type Tokens } from "npm:marked@18.2.1";
import { hashOf } from "../../playground/url_state.ts";
import { policiesIn } from "../../playground/policies.ts";

/** A page that was rendered. */
export interface Page {
  readonly title: string;
  readonly html: string;
  /** The files of the repository that it links to, as paths from its root. */
  readonly links: readonly string[];
}

/** Escapes text for HTML. */
export function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** The way from a page to the root of the site. */
export function upFrom(path: string): string {
  return "../".repeat(path.split("/").length - 1);
}

/** The anchor of a heading, as GitHub makes it. */
function anchorsOf(): (text: string) => string {
  const counts = new Map<string, number>();
  return (text) => {
    const anchor = text.trim().toLowerCase().replace(/[^\p{L}\p{N}\p{M} _-]/gu, "")
      .replaceAll(" ", "-");
    const before = counts.get(anchor) ?? 0;
    counts.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  };
}

/**
 * Renders a page.
 *
 * @param path Its path from the root of the repository.
 * @param text Its Markdown.
 * @param targetOf The path on the site of a file of the repository.
 * @returns The page.
 */
export function renderPage(
  path: string,
  text: string,
  targetOf: (path: string) => string,
): Page {
  const links = new Set<string>();
  const anchorOf = anchorsOf();
  const base = new URL(path, "file:///");
  const linkTo = (href: string) => {
    if (/^[a-z][a-z+.-]*:/i.test(href) || href.startsWith("#")) return href;
    const { pathname, hash } = new URL(href, base);
    const file = decodeURIComponent(pathname).replace(/^\//, "");
    links.add(file);
    return `${upFrom(path)}${targetOf(file)}${hash}`;
  };
  let title = "";
  const marked = new Marked({
    gfm: true,
    renderer: {
      heading({ tokens, depth, text }: Tokens.Heading) {
        if (title === "") title = text.replaceAll("`", "");
        const anchor = anchorOf(text.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1"));
        const inner = this.parser.parseInline(tokens);
        return `<h${depth} id="${anchor}"><a class="anchor" href="#${anchor}">${
          inner.replace(/<\/?a[^>]*>/g, "")
        }</a></h${depth}>\n`;
      },
      link({ href, tokens }: Tokens.Link) {
        return `<a href="${escape(linkTo(href))}">${this.parser.parseInline(tokens)}</a>`;
      },
      image({ href, text }: Tokens.Image) {
        return `<img src="${escape(linkTo(href))}" alt="${escape(text)}">`;
      },
      table(token: Tokens.Table) {
        const cell = ({ tokens }: Tokens.TableCell, tag: string) =>
          `<${tag}>${this.parser.parseInline(tokens)}</${tag}>`;
        // A header without text is none for a screen reader.
        const row = (cells: readonly Tokens.TableCell[], tag: string) =>
          `<tr>${
            cells.map((each) => cell(each, each.text === "" ? "td" : tag)).join("")
          }</tr>`;
        const body = token.rows.map((cells) => row(cells, "td")).join("\n");
        return `<div class="table" tabindex="0"><table><thead>${
          row(token.header, "th")
        }</thead><tbody>${body}</tbody></table></div>\n`;
      },
      code({ text, lang }: Tokens.Code) {
        const code = `<pre tabindex="0"><code>${escape(text)}</code></pre>\n`;
        const isCode = /^(ts|js|tsx)\b/.test(lang ?? "");
        return isCode ? code + openLinks(text, upFrom(path)) : code;
      },
    },
  });
  const html = marked.parse(text, { async: false });
  return { title, html, links: [...links] };
}

/** Links that open the policies of a block in the playground. */
function openLinks(code: string, up: string): string {
  const policies = policiesIn(code);
  if (policies.length === 0) return "";
  const anchors = policies.map((policy, index) => {
    const name = policies.length === 1 ? "this policy" : `policy ${index + 1}`;
    const href = `${up}playground/index.html${hashOf({ policy })}`;
    return `<a href="${escape(href)}">Open ${name} in the playground</a>`;
  });
  return `<p class="open">${anchors.join(" · ")}</p>\n`;
}
