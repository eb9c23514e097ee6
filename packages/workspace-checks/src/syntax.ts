import { isBuiltin } from "node:module";
import { parseSync, visitorKeys } from "oxc-parser";
import type { Node } from "oxc-parser";
import type { SourceFile } from "./workspace.ts";

/** One import of one file: static, dynamic, re-export or type only. */
export interface ImportSite {
  readonly specifier: string;
  readonly line: number;
}

/** A parsed file. */
export interface Syntax {
  readonly path: string;
  readonly root: Node;
  readonly imports: readonly ImportSite[];
  /** The line, from 1, of an offset into the text. */
  lineAt(offset: number): number;
}

/** Is called with a node, its parent, and the parent's field that holds the node. */
export type Visit = (node: Node, parent: Node | null, field: string) => void;

export function parse({ path, text }: SourceFile): Syntax {
  const { program, errors } = parseSync(path, text, { preserveParens: false });
  const [error] = errors;
  if (error !== undefined) throw new Error(`${path} does not parse: ${error.message}`);
  const lineAt = (offset: number): number => text.slice(0, offset).split("\n").length;
  return { path, root: program, imports: findImports(program, lineAt), lineAt };
}

export function walk(root: Node, visit: Visit): void {
  const step = (node: Node, parent: Node | null, field: string): void => {
    visit(node, parent, field);
    for (const key of visitorKeys[node.type] ?? []) {
      const value = (node as unknown as Record<string, unknown>)[key];
      for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) {
        if (isNode(child)) step(child, node, key);
      }
    }
  };
  step(root, null, "");
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}

function findImports(program: Node, lineAt: (offset: number) => number): ImportSite[] {
  const found: ImportSite[] = [];
  walk(program, (node) => {
    switch (node.type) {
      case "ImportDeclaration":
      case "ImportExpression":
      case "ExportAllDeclaration":
      case "ExportNamedDeclaration":
      case "TSImportType": {
        const { source } = node;
        if (source?.type === "Literal" && typeof source.value === "string") {
          found.push({ specifier: source.value, line: lineAt(node.start) });
        }
        break;
      }
      default:
        break;
    }
  });
  return found;
}

/** The package that a bare specifier names, e.g. `"@seshat/common"` for `"@seshat/common/binary"`. */
export function packageOf(specifier: string): string {
  const parts = specifier.split("/");
  return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

/** Whether Node itself provides the module, with or without the `node:` prefix. */
export function isNodeModule(specifier: string): boolean {
  return specifier.startsWith("node:") || isBuiltin(specifier);
}

/** Resolves a relative import against the importing file; both are paths from the package's folder. */
export function resolveRelative(importer: string, specifier: string): string {
  const parts = importer.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") {
      if (parts.length === 0 || parts.at(-1) === "..") parts.push("..");
      else parts.pop();
    } else if (part !== ".") {
      parts.push(part);
    }
  }
  return parts.join("/").replace(/\.js$/, ".ts");
}
