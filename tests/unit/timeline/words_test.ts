// The words of a drawing: their width, their length and their characters.

import { assertEquals } from "@std/assert";
import { escapeXML, truncate, widthOf, wordsOf } from "../../../src/timeline/words.ts";

Deno.test("widthOf() counts two columns for characters that may be of double width", () => {
  assertEquals(widthOf(""), 0);
  assertEquals(widthOf("busy…"), 5);
  assertEquals(widthOf("\u{10ff}\u{1100}"), 3);
  assertEquals(widthOf("日本 👩"), 7);
});

Deno.test("truncate() returns text as it is when it fits", () => {
  assertEquals(truncate("busy", 4), "busy");
  assertEquals(truncate("日本", 4), "日本");
});

Deno.test("truncate() ends text that is too wide with an ellipsis, within the width", () => {
  assertEquals(truncate("busy!", 4), "bus…");
  assertEquals(truncate("日本語", 5), "日本…");
  assertEquals(truncate("日本語", 4), "日…");
  assertEquals(truncate("busy", 1), "…");
});

Deno.test("wordsOf() describes any thrown value in one line of printable characters", () => {
  assertEquals(wordsOf(new TypeError("two\n\tlines")), "TypeError: two lines");
  assertEquals(wordsOf("\x1b[31mred"), "\ufffd[31mred");
  assertEquals(wordsOf("a\u202eb\u2028c\ud800"), "a\ufffdb c\ufffd");
  assertEquals(wordsOf(undefined), "undefined");
  assertEquals(wordsOf(Object.create(null)), "an error that cannot be described");
});

Deno.test("wordsOf() keeps 100 characters, and never half of one", () => {
  assertEquals(wordsOf("👩".repeat(101)), "👩".repeat(100));
});

Deno.test("escapeXML() escapes the characters that begin markup", () => {
  assertEquals(escapeXML("<a> & <b>"), "&lt;a&gt; &amp; &lt;b&gt;");
});
