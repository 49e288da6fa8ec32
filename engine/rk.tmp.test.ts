import { RealKubectl } from "../tests/conformance/api/real-kubectl.ts"; import {test} from "vitest"; test("x", async()=>{
const k = await RealKubectl.open({ seed: 11 });
for (const c of JSON.parse(process.env["CMDS"]!)) { const r = await k.run(c); process.stdout.write("\n"+'$ ' + c + '\n' + r.stdout + r.stderr); }
await k.close(); },300000);
