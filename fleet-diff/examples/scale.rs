//! Development.
use fleet_diff::*; use serde_json::*; use std::time::Instant;
fn main(){
 let doc = json!({"openapi": "3.0.0", "components": {"schemas": {
        "net.example.v1.Tree": {"type": "object",
            "x-kubernetes-group-version-kind": [{"group": "example.net", "version": "v1", "kind": "Tree"}],
            "properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
                "spec": {"type":"object","properties":{"children": {"type": "array", "items": {"type":"object","properties":{"name":{"type":"string"},"size":{"type":"integer"}}},
                    "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}}}}}}}});
 let schemas = Schemas::builtin().with_openapi(&Document::from_json(&doc)).unwrap();
 for n in [1000usize, 2000, 4000] {
  let children: Vec<Value> = (0..n).map(|i| json!({"name": format!("n{i}"), "size": i})).collect();
  let mut d = json!({"apiVersion": "example.net/v1", "kind": "Tree", "metadata": {"name": "a"},"spec":{"children":children}});
  let desired = Object::from_json(d.clone()).unwrap();
  d["spec"]["children"].as_array_mut().unwrap().reverse();
  let live = Object::from_json(d).unwrap();
  let t=Instant::now(); let a=Apply::new(&desired,"fleet",&schemas).to(Some(&live)).force(true); let p=a.predict(); println!("{n} predict {:?}",t.elapsed());
  let t=Instant::now(); let dd=a.decide(); println!("{n} decide {:?}",t.elapsed());
  let t=Instant::now(); let f=dd.fields(); println!("{n} fields {} {:?}",f.len(),t.elapsed());
  if let Prediction::Object(o)=p { let (b,c)=(live.to_json(),o.to_json()); 
  let t=Instant::now(); let p=json_patch(&b,&c); println!("{n} patch {} {:?}",p.0.len(),t.elapsed());
  let t=Instant::now(); let p=Apply::new(&desired,"fleet",&schemas).to(Some(&o)).force(true).predict(); println!("{n} again {:?}",t.elapsed()); drop(p);
  let t=Instant::now(); let _=Update::new(&desired,"x",&schemas).of(Some(&o)).owners(); println!("{n} update {:?}",t.elapsed());
  let t=Instant::now(); let _=managers_of(&o,&FieldPath::keys(["spec"])); println!("{n} managers_of {:?}",t.elapsed());
  let t=Instant::now(); let _=changes(o.root(),live.root()); println!("{n} changes {:?}",t.elapsed());
  }
  else { println!("{:?}", a.predict()); }
 }
}
