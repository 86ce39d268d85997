// What GitHub's own parser makes of a workflow, a text, or {"content": text, "called": {reference: text}}: {"yaml": [error…]} where the text is no YAML, {"errors": [error…]} where
// it is no workflow, {"template": {…}} otherwise. An error has "message", "file", "line" and "col".
import { register } from "node:module";

// The package imports its schema without saying that it is JSON, which node wants to be told.
const hook = `
import { readFile } from "node:fs/promises";
export async function load(url, context, next) {
  if (!url.endsWith(".json")) return next(url, context);
  const source = "export default " + (await readFile(new URL(url), "utf8"));
  return { format: "module", source, shortCircuit: true };
}`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);

const load = (path) => import(`@actions/workflow-parser/${path}`);
const { convertWorkflowTemplate, parseWorkflow } = await load("index");
const { TemplateContext, TemplateValidationErrors } = await load("templates/template-context");
const { fileIdentifier } = await load("workflows/file-reference");
const { getWorkflowSchema } = await load("workflows/workflow-schema");
const { YamlObjectReader } = await load("workflows/yaml-object-reader");
const { FeatureFlags } = await import("@actions/expressions/features");

const silent = { error() {}, info() {}, verbose() {} };
const featureFlags = new FeatureFlags({ all: true });
const name = ".github/workflows/w.yml";

// The place in the message is that of the value; the range may be a part of it.
const plain = ({ prefix, rawMessage, message, range }) => {
  const [, line, col] = /\(Line: (\d+), Col: (\d+)\)/.exec(prefix ?? "") ?? [];
  return {
    message: rawMessage ?? message,
    file: (prefix ?? "").replace(/ \(Line: .*|: *$/s, ""),
    line: Number(line ?? range?.start.line ?? 0),
    col: Number(col ?? range?.start.column ?? 0),
  };
};

// How deep a value is nested.
const depth = (value) => (value instanceof Object ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0);

// As JSON has it, unless that is deeper than the reader of the answers takes: then it is null.
const written = (template) => {
  const value = JSON.parse(JSON.stringify(template));
  return depth(value) < 100 ? value : null;
};

// The calls of the first file are followed where what they call is given.
const following = (called) => ({
  async getFileContent(reference) {
    const name = fileIdentifier(reference);
    return { name, content: called[name] };
  },
});

async function parse(content, called) {
  const reader = new YamlObjectReader(1, content);
  if (reader.errors.length > 0) {
    return { yaml: reader.errors.map(plain) };
  }
  const context = new TemplateContext(new TemplateValidationErrors(), getWorkflowSchema(), silent);
  context.state.featureFlags = featureFlags;
  const { value } = parseWorkflow({ name, content }, context);
  const template = value && (await convertWorkflowTemplate(context, value, called && following(called), {
    featureFlags,
    fetchReusableWorkflowDepth: called ? 1 : 0,
  }));
  const errors = context.errors.getErrors();
  return errors.length > 0 ? { errors: errors.map(plain) } : { template: written(template) };
}

async function answer(question) {
  try {
    return typeof question === "string" ? await parse(question) : await parse(question.content, question.called);
  } catch (error) {
    return { crash: String(error) };
  }
}
