// The page at /docs: reads /openapi.json and lets one try it, from this origin alone, without anything from elsewhere.
import { hash } from 'node:crypto';

const STYLE = `
:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}
body{max-width:60rem;margin:2rem auto;padding:0 1rem}
details{border:1px solid #8886;border-radius:6px;margin:.5rem 0;padding:.5rem 1rem}
summary{cursor:pointer}code,pre,textarea,input{font:13px/1.4 ui-monospace,monospace}
b.GET{color:#1a7f37}b.POST{color:#9a6700}b{display:inline-block;min-width:3.5rem}
label{display:block;margin:.4rem 0}input,textarea{width:100%;box-sizing:border-box}
pre{overflow:auto;background:#8881;padding:.6rem;border-radius:6px}button{margin:.4rem 0}`;

/** Text goes into the page by textContent alone. */
const SCRIPT = `
const el=(name,props={},...children)=>{const e=Object.assign(document.createElement(name),props);e.append(...children);return e};
const main=document.querySelector('main');
const token=el('input',{type:'password',autocomplete:'off',placeholder:'an ID token for this service; kept in this page only'});
document.querySelector('#token').append(el('label',{},'Token',token));
const show=(path,method,op,doc)=>{
  const fields=[],box=el('details');
  box.append(el('summary',{},el('b',{className:method,textContent:method}),el('code',{textContent:path}),' '+op.summary));
  for(const p of op.parameters){const input=el('input',{placeholder:p.schema.enum?p.schema.enum.join(' | '):p.schema.pattern??p.schema.type});
    fields.push([p,input]);box.append(el('label',{},p.name+(p.required?' *':'')+(p.description?': '+p.description:''),input))}
  const [media,body]=Object.entries(op.requestBody?.content??{})[0]??[];
  const text=media&&el('textarea',{rows:6,value:media==='application/json'?'{\\n  "apiVersion": "authentication.k8s.io/v1",\\n  "kind": "TokenRequest"\\n}':''});
  if(text)box.append(el('label',{},media,text),el('pre',{textContent:JSON.stringify(doc.components.schemas[body.schema.$ref.split('/').pop()],null,2)}));
  const out=el('pre'),button=el('button',{textContent:'Try it'});
  button.onclick=async()=>{
    let url=path;const query=new URLSearchParams();
    for(const [p,input] of fields){if(p.in==='path')url=url.replace('{'+p.name+'}',encodeURIComponent(input.value));else if(input.value)query.append(p.name,input.value)}
    const headers={};if(op.security.length&&token.value){headers.authorization='Bearer '+token.value}
    if(media)headers['content-type']=media;
    try{const r=await fetch(url+(query.size?'?'+query:''),{method,headers,body:text?.value});out.textContent=r.status+' '+r.statusText+'\\n'+[...r.headers].map(h=>h.join(': ')).join('\\n')+'\\n\\n'+await r.text()}
    catch(e){out.textContent=String(e)}};
  const codes=Object.entries(op.responses).map(([s,r])=>s+'  '+r.description).join('\\n');
  box.append(button,out,el('pre',{textContent:codes}));main.append(box)};
fetch('/openapi.json').then(r=>r.json()).then(doc=>{
  document.querySelector('h1').textContent=doc.info.title+' '+doc.info.version;
  for(const [path,item] of Object.entries(doc.paths))for(const [method,op] of Object.entries(item))show(path,method.toUpperCase(),op,doc)},
  e=>{main.textContent=String(e)});`;

export function docsPage(): {
  readonly type: string;
  readonly content: string;
  readonly contentSecurityPolicy: string;
} {
  const digest = (text: string): string => `'sha256-${hash('sha256', text, 'base64')}'`;
  return {
    type: 'text/html; charset=utf-8',
    content: `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>mk8s</title><style>${STYLE}</style><h1>mk8s</h1><div id="token"></div><main></main><script>${SCRIPT}</script></html>\n`,
    contentSecurityPolicy: `default-src 'none'; script-src ${digest(SCRIPT)}; style-src ${digest(STYLE)}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  };
}
