import { chromium as pw } from "playwright-core"; import {mkdtempSync} from "node:fs";
for (const mode of ["files","chunks","files","chunks"]) {
 const c = await pw.launchPersistentContext(mkdtempSync("/tmp/opfsp-"),{executablePath: "/usr/bin/chromium", chromiumSandbox:false, headless:true});
 const p = await c.newPage();
 if (mode==="chunks") await p.addInitScript(()=>{navigator.storage.getDirectory=()=>Promise.reject(new DOMException("x","SecurityError"))});
 await p.goto("http://127.0.0.1:7300/"); await p.waitForFunction(()=>document.querySelector("redis-playground")?.host?.state==="ready"); await p.waitForTimeout(1500);
 const r = await p.evaluate(async()=>{const el=document.querySelector("redis-playground");const host=el.host;
  const times=[]; 
  const nothing=()=>{}; let done=nothing;
  const lane=host.openLane(el.space,{echo:nothing,remember:nothing,print:()=>done(),state:nothing,clear:nothing,status:nothing,notice:nothing});
  await host.sync();
  for(let i=0;i<200;i++){const t=performance.now(); const w=new Promise(r=>done=r); lane.submit("INCR n"); await w; times.push(performance.now()-t);}
  times.sort((a,b)=>a-b); return {median:times[100],p90:times[180],max:times[199]};
 });
 console.log(mode,r, await p.evaluate(()=>document.querySelector("redis-playground").sandboxes.keeping));
 await c.close();
}
