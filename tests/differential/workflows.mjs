// What GitHub's own parser makes of a workflow: {"yaml": [error…]} where the text is no YAML, {"errors": [error…]} where
// it is no workflow, {"jobs": […]} otherwise. An error has "message", "line" and "col".
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
    line: Number(line ?? range?.start.line ?? 0),
    col: Number(col ?? range?.start.column ?? 0),
  };
};

const step = ({ id, if: condition, uses, wait, cancel, parallel, background }) => ({
  id,
  condition: condition?.expr ?? null,
  uses: uses?.value ?? null,
  wait: wait?.map((target) => target.value) ?? null,
  cancel: cancel?.value ?? null,
  parallel: parallel?.map(step) ?? null,
  background: background ?? null,
});

const job = ({ type, id, if: condition, needs, ref, steps }) => ({
  type,
  id: id.value,
  condition: condition.expr,
  needs: needs?.map((need) => need.value) ?? [],
  uses: ref?.value ?? null,
  steps: steps?.map(step) ?? [],
});

async function parse(content) {
  const reader = new YamlObjectReader(1, content);
  if (reader.errors.length > 0) {
    return { yaml: reader.errors.map(plain) };
  }
  const context = new TemplateContext(new TemplateValidationErrors(), getWorkflowSchema(), silent);
  context.state.featureFlags = featureFlags;
  const { value } = parseWorkflow({ name, content }, context);
  const template = value && (await convertWorkflowTemplate(context, value, undefined, { featureFlags }));
  const errors = context.errors.getErrors();
  return errors.length > 0 ? { errors: errors.map(plain) } : { jobs: template?.jobs?.map(job) ?? [] };
}

async function answer(content) {
  try {
    return await parse(content);
  } catch (error) {
    return { crash: String(error) };
  }
}
