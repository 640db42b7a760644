import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript6';

/** A member of an interface, and what its doc comment says, in parts. */
export interface MemberDoc {
  readonly name: string;
  /** What is left when the next two are taken out. */
  readonly text: string;
  /** What stands after `Default:`. */
  readonly fallback: string;
  /** What stands after `Beyond:`, `Else:`, `Then:` or `Before:`. */
  readonly exceeded: string;
  /** The members of an object inside it: written there, or an interface that its type names. */
  readonly inner: (interfaces: Interfaces) => readonly MemberDoc[];
}

/** Members by the name of their interface. */
export type Interfaces = ReadonlyMap<string, readonly MemberDoc[]>;

/** The interfaces of all sources in a folder. */
export function interfacesIn(folder: string): Interfaces {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return new Map(files.flatMap((file) => [...interfacesOf(readFileSync(join(folder, file), 'utf8'))]));
}

export function interfacesOf(source: string): Interfaces {
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.ESNext, true);
  const found = file.statements.filter(ts.isInterfaceDeclaration);
  return new Map(
    found.map(({ name, members }) => [name.text, members.filter(ts.isPropertySignature).map(describe)]),
  );
}

function describe(member: ts.PropertySignature): MemberDoc {
  const [comment] = ts.getJSDocCommentsAndTags(member);
  const said = ts.getTextOfJSDocComment(comment?.comment as string | undefined) ?? '';
  const nodes = member.type === undefined ? [] : withChildren(member.type);
  return {
    name: (member.name as ts.Identifier).text,
    ...partsOf(said.replace(/\s+/g, ' ').trim()),
    inner(interfaces) {
      const literal = nodes.find(ts.isTypeLiteralNode);
      if (literal !== undefined) return literal.members.filter(ts.isPropertySignature).map(describe);
      const names = nodes.filter(ts.isTypeReferenceNode).map(({ typeName }) => typeName.getText());
      return names.flatMap((name) => interfaces.get(name) ?? []);
    },
  };
}

function withChildren(node: ts.Node): ts.Node[] {
  const nodes = [node];
  node.forEachChild((child) => void nodes.push(...withChildren(child)));
  return nodes;
}

function partsOf(comment: string): Pick<MemberDoc, 'text' | 'fallback' | 'exceeded'> {
  let text = comment;
  const take = (label: string): string => {
    const match = new RegExp(`(?:^|(?<=\\. ))(?:${label}): (.*?)\\.(?= [A-Z\`]|$)`).exec(text);
    if (match === null) return '';
    text = text.replace(match[0], '').replace(/\s+/g, ' ').trim();
    return match[1] as string;
  };
  const exceeded = take('Beyond|Else|Then|Before');
  return { fallback: take('Default'), exceeded, text };
}
