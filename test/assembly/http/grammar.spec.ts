/** The small grammars of field values and start lines: characters, authorities, lengths, lists, methods, reasons. */

import { Method, METHOD_NAMES } from "../../../assembly/abi/message.ts";
import { isAuthority, isAuthorityWithPort } from "../../../assembly/http/authority.ts";
import {
  areCharacters,
  CharClass,
  charactersInitialize,
  isCharacter,
} from "../../../assembly/http/characters.ts";
import { readContentLength } from "../../../assembly/http/content_length.ts";
import { readMethod } from "../../../assembly/http/method.ts";
import { reasonPhrase } from "../../../assembly/http/reason.ts";
import { listHasToken } from "../../../assembly/http/token_list.ts";

const DIGITS: string = "0123456789";
const LETTERS: string = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const area: usize = heap.alloc(512);

function write(text: string): u32 {
  for (let i = 0; i < text.length; i++) store<u8>(area + i, <u8>text.charCodeAt(i));
  return text.length;
}

function expectClass(charClass: u32, members: string): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    expect(isCharacter(byte, charClass)).toBe(members.includes(String.fromCharCode(byte)), byte.toString());
  }
}

function authority(text: string): bool {
  return isAuthority(area, write(text));
}

function authorityWithPort(text: string): bool {
  return isAuthorityWithPort(area, write(text));
}

function contentLength(text: string): i64 {
  return readContentLength(area, write(text));
}

function listHas(list: string, token: string): bool {
  return listHasToken(area, write(list), token);
}

function methodOf(text: string): u32 {
  return readMethod(area, write(text));
}

describe("grammar", () => {
  beforeAll(() => {
    charactersInitialize();
  });

  test("each class of characters has exactly the RFC's", () => {
    expectClass(CharClass.TCHAR, "!#$%&'*+-.^_`|~" + DIGITS + LETTERS);
    expectClass(CharClass.REG_NAME, "-._~!$&'()*+,;=%" + DIGITS + LETTERS);
    expectClass(CharClass.DIGIT, DIGITS);
    expectClass(CharClass.HEX, DIGITS + "abcdefABCDEF");
    expectClass(CharClass.IPV6, DIGITS + "abcdefABCDEF:.");
    let visible = "";
    for (let byte = 0x21; byte < 0x7f; byte++) if (byte != 0x23) visible += String.fromCharCode(byte);
    expectClass(CharClass.TARGET, visible);
    expect(areCharacters(area, 0, CharClass.DIGIT)).toBe(true);
    expect(areCharacters(area, write("12a"), CharClass.DIGIT)).toBe(false);
  });

  test("authorities", () => {
    const valid: string[] = [
      "a",
      "a.b-c_d~",
      "127.0.0.1",
      "[::1]",
      "[::1]:80",
      "a:",
      "a:0",
      "a:65535",
      "%41",
      "a(b)",
    ];
    for (let i = 0; i < valid.length; i++) expect(authority(valid[i])).toBe(true, valid[i]);
    const invalid: string[] = [
      "",
      ":",
      ":80",
      "a:b",
      "a:65536",
      "a:99999",
      "a:000080",
      "a:1:2",
      "a b",
      "a/b",
      "u@a",
      "a,b:1 ",
      "[]",
      "[:]x",
      "[::1",
      "::1",
      "[::1]x",
      "[::g]",
      "a]",
      "%4",
      "%4g",
      "a%",
      "a\\b",
      "a?b",
      "a#b",
      "[fe80::1%25en0]",
    ];
    for (let i = 0; i < invalid.length; i++) expect(authority(invalid[i])).toBe(false, invalid[i]);
  });

  test("authorities with a port that must be there", () => {
    expect(authorityWithPort("a:80")).toBe(true);
    expect(authorityWithPort("[::1]:443")).toBe(true);
    expect(authorityWithPort("a")).toBe(false);
    expect(authorityWithPort("a:")).toBe(false);
    expect(authorityWithPort("[::1]")).toBe(false);
    expect(authorityWithPort("[::1]:")).toBe(false);
    expect(authorityWithPort(":80")).toBe(false);
  });

  test("content lengths", () => {
    expect(contentLength("0")).toBe(0);
    expect(contentLength("0042")).toBe(42);
    expect(contentLength("9007199254740991")).toBe(9007199254740991);
    const invalid: string[] = [
      "",
      "-1",
      "+1",
      " 1",
      "1 ",
      "1,1",
      "0x1",
      "1e3",
      "9007199254740992",
      "18446744073709551616",
    ];
    for (let i = 0; i < invalid.length; i++) expect(contentLength(invalid[i])).toBeLessThan(0, invalid[i]);
  });

  test("lists of tokens", () => {
    expect(listHas("close", "close")).toBe(true);
    expect(listHas("Keep-Alive, CLOSE", "close")).toBe(true);
    expect(listHas(" ,,\t close\t ,x", "close")).toBe(true);
    expect(listHas("", "close")).toBe(false);
    expect(listHas(",", "close")).toBe(false);
    expect(listHas("closed, xclose, clos e", "close")).toBe(false);
    expect(listHas("close;q=1", "close")).toBe(false);
  });

  test("methods, by their exact bytes", () => {
    for (let id: u32 = 1; id < <u32>Method.COUNT; id++) {
      const name = METHOD_NAMES[id];
      expect(methodOf(name)).toBe(id, name);
      expect(methodOf(name.toLowerCase())).toBe(Method.OTHER, name);
      expect(methodOf(name + "X")).toBe(Method.OTHER, name);
      expect(methodOf(name.substr(0, name.length - 1))).toBe(Method.OTHER, name);
    }
    expect(methodOf("QUERY")).toBe(Method.OTHER);
    expect(methodOf("")).toBe(Method.OTHER);
  });

  test("reasons are text that a status line can hold", () => {
    let named = 0;
    for (let code: u32 = 0; code < 1000; code++) {
      const reason = reasonPhrase(code);
      if (reason.length != 0) named++;
      for (let i = 0; i < reason.length; i++)
        expect(LETTERS.includes(reason.charAt(i)) || " -".includes(reason.charAt(i))).toBe(true);
    }
    expect(named).toBe(60);
    expect(reasonPhrase(200)).toBe("OK");
    expect(reasonPhrase(418)).toBe("");
  });
});
