import { writeFileSync } from "node:fs";
import { adversarialBackprop, audit, datasetNamed, exportAttack, harden, loadDataset, mlp, pgd, readAttack } from "temper-ml";

const dataset = await loadDataset(datasetNamed("mnist"));
const { classifier, file, history } = await harden({
  model: mlp({ hidden: [100] }),
  dataset,
  defenses: [adversarialBackprop({ epsilon: 0.08 })],
  epochs: 5,
});
const attacks = [readAttack({ pgd: { epsilon: "8/255", steps: 20 } })];
const { clean, robust } = await audit({ file, dataset, attacks, limit: 500 });
console.log(`error ${history.at(-1).metrics.error}, clean ${clean}, under PGD ${robust[0].accuracy}`);
writeFileSync("hardened.onnx", file);
writeFileSync("attack.onnx", exportAttack(pgd({ steps: 20 }), classifier));
