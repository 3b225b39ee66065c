// The reference of what the package exports, made from the source: every export with its docstring and its declaration, which is its
// source without bodies and without what is private. Only syntax is read; no type is inferred, so public members must say theirs.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import { root } from "./sources.ts";

export interface Entry {
  /** What a program imports from. */
  readonly specifier: string;
  readonly file: string;
  readonly about: string;
}

export interface ExportedName {
  readonly name: string;
  /** Its docstring as Markdown; empty when it has none. */
  readonly doc: string;
  readonly declaration: string;
}

/** What a file exports, sorted by name. Throws when it exports a name that is declared nowhere. */
export function exportsOf(file: string): ExportedName[] {
  return [...declarationsOf(join(root, file))]
    .map(([name, nodes]) => ({
      name,
      doc: nodes.map(docOf).filter(Boolean).join("\n\n"),
      declaration: nodes.map(declarationText).join("\n"),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

type Declarations = Map<string, ts.Statement[]>;
const known = new Map<string, Declarations>();

/** The exports of a file, those it passes on from others included. */
function declarationsOf(path: string): Declarations {
  const seen = known.get(path);
  if (seen !== undefined) return seen;
  const found: Declarations = new Map();
  known.set(path, found);
  for (const statement of ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ES2022, true)
    .statements) {
    if (ts.isExportDeclaration(statement)) passOn(statement, path, found);
    else if (isExported(statement)) {
      for (const name of namesOf(statement)) found.set(name, [...(found.get(name) ?? []), statement]);
    }
  }
  return found;
}

function passOn(
  { moduleSpecifier, exportClause }: ts.ExportDeclaration,
  path: string,
  into: Declarations,
): void {
  if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return;
  const source = declarationsOf(join(dirname(path), moduleSpecifier.text));
  if (exportClause === undefined) for (const [name, nodes] of source) into.set(name, nodes);
  if (exportClause === undefined || !ts.isNamedExports(exportClause)) return;
  for (const { name, propertyName } of exportClause.elements) {
    const nodes = source.get((propertyName ?? name).text);
    if (nodes === undefined) throw new Error(`${path} passes on ${name.text}, which is declared nowhere`);
    into.set(name.text, nodes);
  }
}

function hasModifier(node: ts.Node, ...kinds: ts.SyntaxKind[]): boolean {
  return ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kinds.includes(kind));
}

function isExported(statement: ts.Statement): boolean {
  return hasModifier(statement, ts.SyntaxKind.ExportKeyword);
}

function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => name.getText());
  }
  const { name } = statement as ts.DeclarationStatement;
  return name === undefined ? [] : [name.getText()];
}

function docOf(node: ts.Node): string {
  const comment = ts.getJSDocCommentsAndTags(node).find(ts.isJSDoc);
  return comment === undefined ? "" : (ts.getTextOfJSDocComment(comment.comment) ?? "");
}

/** A declaration without its docstring. */
function declarationText(statement: ts.Statement): string {
  const text = ts.isClassDeclaration(statement) ? classText(statement) : headText(statement);
  return text.replace(/^export (?:declare )?(?:const (?=enum))?/, "");
}

/** The source of a function, a variable or a type up to its body, or its value where a type says enough. */
function headText(node: ts.Node): string {
  const text = node.getText();
  const upTo = (end: ts.Node) => `${text.slice(0, end.getStart() - node.getStart()).replace(/[\s=]+$/, "")};`;
  if (ts.isFunctionLike(node) && "body" in node && node.body !== undefined) return upTo(node.body);
  if (ts.isPropertyDeclaration(node) && node.type !== undefined && node.initializer !== undefined) {
    return upTo(node.initializer);
  }
  if (ts.isVariableStatement(node)) {
    const [first] = node.declarationList.declarations;
    if (first?.type !== undefined && first.initializer !== undefined) return upTo(first.initializer);
  }
  return text;
}

function classText(node: ts.ClassDeclaration): string {
  const open = node.members.length === 0 ? node.getEnd() : node.members.pos;
  const head = node
    .getText()
    .slice(0, open - node.getStart())
    .trimEnd();
  const members = node.members.filter(isPublic).map((member) => {
    const doc = member
      .getFullText()
      .slice(0, member.getStart() - member.getFullStart())
      .trim();
    const text = (doc === "" ? [] : [doc]).concat(headText(member).replace(/^declare /, "")).join("\n  ");
    return `  ${text}`;
  });
  return `${head}\n${members.join("\n")}\n}`;
}

function isPublic(member: ts.ClassElement): boolean {
  const isHidden = hasModifier(member, ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword);
  return !isHidden && !(member.name !== undefined && ts.isPrivateIdentifier(member.name));
}

/** The reference as Markdown. */
export function referenceText(entries: readonly Entry[]): string {
  const lines = [
    "# API",
    "",
    "Everything that the package exports, made from the docstrings of the source by",
    "`npx vitest run test/architecture --update`. The [guide](guide/README.md) tells how the parts go together.",
    "",
  ];
  for (const { specifier, file, about } of entries) {
    lines.push(`## \`${specifier}\``, "", about, "");
    for (const { name, doc, declaration } of exportsOf(file)) {
      lines.push(`### \`${name}\``, "");
      if (doc !== "") lines.push(doc, "");
      lines.push("```ts", declaration, "```", "");
    }
  }
  return `${lines.join("\n").trimEnd()}\n`;
}
