import type { Node } from "oxc-parser";
import { findGlobals, memberName } from "./globals.ts";
import type { ForbiddenImport, PureCode, SingleWriter } from "./rules.ts";
import { parse, resolveRelative, walk } from "./syntax.ts";
import { isTestPath } from "./workspace.ts";
import type { SourceFile } from "./workspace.ts";

/** Lists the imports inside one package that a rule forbids. */
export function checkForbiddenImports(
  folder: string,
  sources: readonly SourceFile[],
  rules: readonly ForbiddenImport[],
): string[] {
  const problems: string[] = [];
  for (const source of shipped(sources)) {
    for (const { specifier, line } of parse(source).imports) {
      if (!specifier.startsWith(".")) continue;
      const target = resolveRelative(source.path, specifier);
      for (const rule of rules) {
        if (rule.folder !== folder) continue;
        if (!rule.importer.test(source.path) || !rule.target.test(target)) continue;
        if (rule.exceptImporter?.test(source.path) === true || rule.exceptTarget?.test(target) === true)
          continue;
        problems.push(`packages/${folder}/${source.path}:${line} imports ${specifier}: ${rule.rule}`);
      }
    }
  }
  return problems;
}

/** Lists the assignments to a field that only one other file may write. */
export function checkSingleWriters(
  folder: string,
  sources: readonly SourceFile[],
  rules: readonly SingleWriter[],
): string[] {
  const problems: string[] = [];
  for (const source of shipped(sources)) {
    const applying = rules.filter(
      (rule) => rule.folder === folder && rule.scope.test(source.path) && !rule.writer.test(source.path),
    );
    if (applying.length === 0) continue;
    for (const { field, holder, line } of findWrites(source)) {
      for (const rule of applying) {
        if (!rule.field.test(field) || rule.holder?.test(holder) === false) continue;
        problems.push(`packages/${folder}/${source.path}:${line} writes ${holder}.${field}: ${rule.rule}`);
      }
    }
  }
  return problems;
}

/** Lists async code and impure globals in code that must have neither. */
export function checkPureCode(
  folder: string,
  sources: readonly SourceFile[],
  rules: readonly PureCode[],
): string[] {
  const problems: string[] = [];
  for (const rule of rules) {
    if (rule.folder !== folder) continue;
    for (const source of shipped(sources)) {
      if (!rule.scope.test(source.path)) continue;
      const syntax = parse(source);
      const report = (line: number, what: string): void => {
        problems.push(`packages/${folder}/${source.path}:${line} ${what}: ${rule.rule}`);
      };
      for (const { name, line } of findGlobals(syntax, rule.forbiddenGlobals)) report(line, `uses ${name}`);
      walk(syntax.root, (node) => {
        const isAsync =
          node.type === "AwaitExpression" ||
          ("async" in node && node.async) ||
          ("await" in node && node.await);
        if (isAsync) report(syntax.lineAt(node.start), "is asynchronous");
      });
    }
  }
  return problems;
}

function shipped(sources: readonly SourceFile[]): SourceFile[] {
  return sources.filter(({ path }) => !isTestPath(path));
}

/** A place that changes a field: `holder.field = ...`, in whatever spelling. */
export interface Write {
  readonly field: string;
  /** The last name of what holds the field; `?` where it has none. */
  readonly holder: string;
  readonly line: number;
}

export function findWrites(source: SourceFile): Write[] {
  const syntax = parse(source);
  const writes: Write[] = [];
  forEachWrite(syntax.root, (field, holder, node) => {
    writes.push({ field, holder, line: syntax.lineAt(node.start) });
  });
  return writes;
}

function forEachWrite(root: Node, found: (field: string, holder: string, node: Node) => void): void {
  const target = (node: Node): void => {
    if (node.type !== "MemberExpression") return;
    const field = memberName(node);
    if (field !== null) found(field, holderName(node.object), node);
  };
  walk(root, (node, parent, field) => {
    switch (node.type) {
      case "AssignmentExpression":
        target(node.left);
        break;
      case "UpdateExpression":
        target(node.argument);
        break;
      case "UnaryExpression":
        if (node.operator === "delete") target(node.argument);
        break;
      case "MemberExpression":
        if (parent !== null && isPatternSlot(parent, field)) target(node);
        break;
      case "ObjectPattern":
        // In `({ vote: state.vote } = x)` the property's value is the target; in a literal it is only read.
        for (const property of node.properties) if (property.type === "Property") target(property.value);
        break;
      case "CallExpression": {
        const [object, ...parts] = node.arguments;
        if (object === undefined || !isObjectAssign(node.callee)) break;
        for (const part of parts) {
          if (part.type !== "ObjectExpression") continue;
          for (const property of part.properties) {
            if (property.type === "Property" && property.key.type === "Identifier") {
              found(property.key.name, holderName(object), node);
            }
          }
        }
        break;
      }
      default:
        break;
    }
  });
}

function isPatternSlot(parent: Node, field: string): boolean {
  if (parent.type === "ArrayPattern" || parent.type === "RestElement") return true;
  const assigns = ["AssignmentPattern", "ForOfStatement", "ForInStatement"].includes(parent.type);
  return assigns && field === "left";
}

function isObjectAssign(callee: Node): boolean {
  return (
    callee.type === "MemberExpression" &&
    callee.object.type === "Identifier" &&
    callee.object.name === "Object" &&
    memberName(callee) === "assign"
  );
}

function holderName(node: Node): string {
  switch (node.type) {
    case "Identifier":
      return node.name;
    case "ThisExpression":
      return "this";
    case "MemberExpression":
      return memberName(node) ?? "?";
    case "TSNonNullExpression":
    case "TSAsExpression":
      return holderName(node.expression);
    default:
      return "?";
  }
}
