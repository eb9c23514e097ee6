import type { Node } from "oxc-parser";
import { walk } from "./syntax.ts";
import type { Syntax } from "./syntax.ts";

/** A place where a file names a global. */
export interface GlobalUse {
  readonly name: string;
  readonly line: number;
}

/**
 * Finds the uses of the given names: `Buffer`, `globalThis.Buffer`, the type `Buffer`, or a member such as
 * `Math.random`. A local variable of the same name counts too, since a reader could not tell them apart.
 */
export function findGlobals(syntax: Syntax, names: readonly string[]): GlobalUse[] {
  const found: GlobalUse[] = [];
  const report = (name: string, node: Node): void => {
    if (names.includes(name)) found.push({ name, line: syntax.lineAt(node.start) });
  };
  walk(syntax.root, (node, parent, field) => {
    if (node.type === "Identifier" && !isPropertyName(parent, field)) report(node.name, node);
    if (node.type !== "MemberExpression" || node.object.type !== "Identifier") return;
    const property = memberName(node);
    if (property === null) return;
    report(node.object.name === "globalThis" ? property : `${node.object.name}.${property}`, node);
  });
  return found;
}

/** The name a member expression reads or writes: `b` in `a.b` and in `a["b"]`; null when it is computed. */
export function memberName(node: Extract<Node, { type: "MemberExpression" }>): string | null {
  if (!node.computed) return node.property.name;
  return node.property.type === "Literal" && typeof node.property.value === "string"
    ? node.property.value
    : null;
}

function isPropertyName(parent: Node | null, field: string): boolean {
  switch (parent?.type) {
    case "MemberExpression":
      return field === "property" && !parent.computed;
    case "Property":
    case "PropertyDefinition":
    case "MethodDefinition":
    case "TSPropertySignature":
    case "TSMethodSignature":
    case "TSAbstractMethodDefinition":
    case "TSAbstractPropertyDefinition":
    case "AccessorProperty":
      return field === "key" && !parent.computed;
    case "ImportSpecifier":
      return field === "imported";
    case "ExportSpecifier":
      return field === "exported";
    case "TSQualifiedName":
      return field === "right";
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
      return field === "label";
    default:
      return false;
  }
}
