PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE schema_version (version INTEGER NOT NULL);
INSERT INTO schema_version VALUES(1);
CREATE TABLE runs (
  id TEXT PRIMARY KEY, parent TEXT, kind TEXT, state TEXT NOT NULL, seed INTEGER,
  method TEXT, encoder TEXT, mask TEXT, mask_patch INTEGER, mask_ratio REAL, head TEXT, target TEXT,
  target_resolution INTEGER, loss TEXT, area TEXT, dataset TEXT,
  parameters INTEGER, epochs REAL, steps INTEGER, images_seen INTEGER,
  val_top1 REAL, test_top1 REAL, test_top5 REAL, best_epoch REAL, train_loss REAL, val_loss REAL,
  images_per_second REAL, seconds REAL, gpus INTEGER, gpu_seconds REAL, skipped_steps INTEGER,
  val_images INTEGER, test_images INTEGER,   -- that the accuracies were measured on
  device TEXT, precision TEXT, host TEXT, git_commit TEXT, started_at TEXT, updated_at TEXT, error TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,       -- at the last taking in, as are:
  journal_bytes INTEGER NOT NULL DEFAULT 0,  -- how far the journal was read
  stamp TEXT);
INSERT INTO runs VALUES('f18d00e3eada',NULL,'pretrain','done',0,'simmim','vit','random',8,0.59999999999999997779,'linear','pixels',32,'l1','masked','fashion_mnist',16472,1.0,2,64,NULL,NULL,NULL,NULL,0.91664704680442810058,0.85757765173912048339,1927.370941058436756,0.22650475099908362608,0,0.0,0,NULL,NULL,'cpu','f32','vm','b633bb4fb265','2026-11-25T17:03:51.153Z','2026-11-25T17:03:51.380Z',NULL,1,213,'1795626231.376743426:1035:11184408');
INSERT INTO runs VALUES('7541168993f4','f18d00e3eada','finetune','done',0,NULL,'vit',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'fashion_mnist',15186,1.0,2,64,14.0625,15.625,68.75,1.0,2.3028399944305419921,2.2945183031260967254,1038.5675297703760406,0.18595524500051396898,0,0.0,0,64,64,'cpu','f32','vm','b633bb4fb265','2026-11-25T17:03:51.961Z','2026-11-25T17:03:52.147Z',NULL,1,251,'1795626232.144743462:1179:11231284');
CREATE TABLE attempts (
  run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE, attempt INTEGER NOT NULL,
  host TEXT, pid INTEGER, started_at TEXT, ended_at TEXT, state TEXT, exit_code INTEGER, error TEXT, seconds REAL,
  device TEXT, gpus INTEGER, threads INTEGER, environment TEXT REFERENCES environments(id),
  PRIMARY KEY (run, attempt)) WITHOUT ROWID;
INSERT INTO attempts VALUES('7541168993f4',1,'vm',27239,'2026-11-25T17:03:51.961Z','2026-11-25T17:03:52.147Z','done',0,NULL,0.18595524500051396898,'cpu',0,1,'4771a63a5f5e7118');
INSERT INTO attempts VALUES('f18d00e3eada',1,'vm',27229,'2026-11-25T17:03:51.153Z','2026-11-25T17:03:51.380Z','done',0,NULL,0.22650475099908362608,'cpu',0,1,'4771a63a5f5e7118');
CREATE TABLE environments (id TEXT PRIMARY KEY, facts TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO environments VALUES('4771a63a5f5e7118','{"OMP_NUM_THREADS":"1","capability":"","commit":"b633bb4fb265","compiler":"g++ 12.2.0","device_name":"AMD EPYC","driver":"","host":"vm","libtorch":"2.11.0","program":"0.1.0","system":"Linux 6.18.44-fc-v595 x86_64"}');
CREATE TABLE config_values (
  key TEXT NOT NULL, run TEXT NOT NULL, value,  -- dotted leaf; '' for the whole; no foreign key: nothing seeks by run
  PRIMARY KEY (key, run)) WITHOUT ROWID;
INSERT INTO config_values VALUES('','7541168993f4','{"stage":"finetune","seed":0,"device":"auto","precision":"f32","data":{"name":"fashion_mnist","root":"","train":"","val":"","test":"","holdout":0.1,"split_seed":0,"mean":[0.286,0.286,0.286],"std":[0.353,0.353,0.353],"image_size":32,"eval_crop":1.0,"limit":64,"workers":0,"on_error":"skip","verify":false,"cache":true,"images":"auto","classes":"auto"},"encoder":{"name":"vit","preset":"vit_nano","patch":4,"dim":32,"depth":1,"heads":2,"mlp_ratio":4.0,"layer_scale":0.1,"drop_path":0.0,"absolute_position":false,"checkpointing":false},"finetune":{"from":"pretrain","epochs":1,"steps":"auto","batch_size":32,"accumulate":"auto","lr":0.0005,"base_lr":"auto","lr_per":512,"warmup_epochs":0.0,"warmup_lr":0.0,"min_lr":0.0,"schedule":"cosine","milestones":[],"gamma":0.1,"weight_decay":0.05,"betas":[0.9,0.999],"eps":1e-08,"clip_norm":5.0,"max_skipped_steps":10,"log_steps":10,"save_minutes":5.0,"save_steps":0,"keep_epochs":0,"augment":{"enabled":true,"crop_scale":[0.08,1.0],"crop_ratio":[0.75,1.3333333333333333],"flip":0.5,"interpolation":"bicubic","randaugment":"","color_jitter":0.0,"erasing":0.0,"erasing_mode":"pixel","erasing_count":1,"erasing_area":[0.02,0.3333333333333333],"erasing_aspect":[0.3,3.3333333333333335]},"layer_decay":0.75,"drop_path":0.1,"label_smoothing":0.1,"mixup":0.0,"cutmix":0.0,"mix_prob":1.0,"mix_switch":0.5,"ema":0.0,"limit_labels":"auto","select":"last","eval_epochs":1,"seed":"auto"}}');
INSERT INTO config_values VALUES('','f18d00e3eada','{"stage":"pretrain","seed":0,"device":"auto","precision":"f32","method":{"name":"simmim"},"data":{"name":"fashion_mnist","root":"","train":"","val":"","test":"","holdout":0.1,"split_seed":0,"mean":[0.286,0.286,0.286],"std":[0.353,0.353,0.353],"image_size":32,"eval_crop":1.0,"limit":64,"workers":0,"on_error":"skip","verify":false,"cache":true,"images":"auto","classes":"auto"},"encoder":{"name":"vit","preset":"vit_nano","patch":4,"dim":32,"depth":1,"heads":2,"mlp_ratio":4.0,"layer_scale":0.1,"drop_path":0.0,"absolute_position":false,"checkpointing":false},"mask":{"name":"random","patch":8,"ratio":0.6},"head":{"name":"linear"},"target":{"name":"pixels","resolution":32,"normalise":"none","patch":"auto","window":47},"loss":{"name":"l1","area":"masked","partial":"share"},"pretrain":{"epochs":1,"steps":"auto","batch_size":32,"accumulate":"auto","lr":0.001,"base_lr":"auto","lr_per":512,"warmup_epochs":0.0,"warmup_lr":0.0,"min_lr":0.0,"schedule":"cosine","milestones":[],"gamma":0.1,"weight_decay":0.05,"betas":[0.9,0.999],"eps":1e-08,"clip_norm":5.0,"max_skipped_steps":10,"log_steps":10,"save_minutes":5.0,"save_steps":0,"keep_epochs":0,"augment":{"enabled":true,"crop_scale":[0.67,1.0],"crop_ratio":[0.75,1.3333333333333333],"flip":0.5,"interpolation":"bilinear"},"val_epochs":1}}');
INSERT INTO config_values VALUES('data.cache','7541168993f4',1);
INSERT INTO config_values VALUES('data.cache','f18d00e3eada',1);
INSERT INTO config_values VALUES('data.classes','7541168993f4','auto');
INSERT INTO config_values VALUES('data.classes','f18d00e3eada','auto');
INSERT INTO config_values VALUES('data.eval_crop','7541168993f4',1.0);
INSERT INTO config_values VALUES('data.eval_crop','f18d00e3eada',1.0);
INSERT INTO config_values VALUES('data.holdout','7541168993f4',0.10000000000000000555);
INSERT INTO config_values VALUES('data.holdout','f18d00e3eada',0.10000000000000000555);
INSERT INTO config_values VALUES('data.image_size','7541168993f4',32);
INSERT INTO config_values VALUES('data.image_size','f18d00e3eada',32);
INSERT INTO config_values VALUES('data.images','7541168993f4','auto');
INSERT INTO config_values VALUES('data.images','f18d00e3eada','auto');
INSERT INTO config_values VALUES('data.limit','7541168993f4',64);
INSERT INTO config_values VALUES('data.limit','f18d00e3eada',64);
INSERT INTO config_values VALUES('data.mean','7541168993f4','[0.286,0.286,0.286]');
INSERT INTO config_values VALUES('data.mean','f18d00e3eada','[0.286,0.286,0.286]');
INSERT INTO config_values VALUES('data.name','7541168993f4','fashion_mnist');
INSERT INTO config_values VALUES('data.name','f18d00e3eada','fashion_mnist');
INSERT INTO config_values VALUES('data.on_error','7541168993f4','skip');
INSERT INTO config_values VALUES('data.on_error','f18d00e3eada','skip');
INSERT INTO config_values VALUES('data.root','7541168993f4','');
INSERT INTO config_values VALUES('data.root','f18d00e3eada','');
INSERT INTO config_values VALUES('data.split_seed','7541168993f4',0);
INSERT INTO config_values VALUES('data.split_seed','f18d00e3eada',0);
INSERT INTO config_values VALUES('data.std','7541168993f4','[0.353,0.353,0.353]');
INSERT INTO config_values VALUES('data.std','f18d00e3eada','[0.353,0.353,0.353]');
INSERT INTO config_values VALUES('data.test','7541168993f4','');
INSERT INTO config_values VALUES('data.test','f18d00e3eada','');
INSERT INTO config_values VALUES('data.train','7541168993f4','');
INSERT INTO config_values VALUES('data.train','f18d00e3eada','');
INSERT INTO config_values VALUES('data.val','7541168993f4','');
INSERT INTO config_values VALUES('data.val','f18d00e3eada','');
INSERT INTO config_values VALUES('data.verify','7541168993f4',0);
INSERT INTO config_values VALUES('data.verify','f18d00e3eada',0);
INSERT INTO config_values VALUES('data.workers','7541168993f4',0);
INSERT INTO config_values VALUES('data.workers','f18d00e3eada',0);
INSERT INTO config_values VALUES('device','7541168993f4','auto');
INSERT INTO config_values VALUES('device','f18d00e3eada','auto');
INSERT INTO config_values VALUES('encoder.absolute_position','7541168993f4',0);
INSERT INTO config_values VALUES('encoder.absolute_position','f18d00e3eada',0);
INSERT INTO config_values VALUES('encoder.checkpointing','7541168993f4',0);
INSERT INTO config_values VALUES('encoder.checkpointing','f18d00e3eada',0);
INSERT INTO config_values VALUES('encoder.depth','7541168993f4',1);
INSERT INTO config_values VALUES('encoder.depth','f18d00e3eada',1);
INSERT INTO config_values VALUES('encoder.dim','7541168993f4',32);
INSERT INTO config_values VALUES('encoder.dim','f18d00e3eada',32);
INSERT INTO config_values VALUES('encoder.drop_path','7541168993f4',0.0);
INSERT INTO config_values VALUES('encoder.drop_path','f18d00e3eada',0.0);
INSERT INTO config_values VALUES('encoder.heads','7541168993f4',2);
INSERT INTO config_values VALUES('encoder.heads','f18d00e3eada',2);
INSERT INTO config_values VALUES('encoder.layer_scale','7541168993f4',0.10000000000000000555);
INSERT INTO config_values VALUES('encoder.layer_scale','f18d00e3eada',0.10000000000000000555);
INSERT INTO config_values VALUES('encoder.mlp_ratio','7541168993f4',4.0);
INSERT INTO config_values VALUES('encoder.mlp_ratio','f18d00e3eada',4.0);
INSERT INTO config_values VALUES('encoder.name','7541168993f4','vit');
INSERT INTO config_values VALUES('encoder.name','f18d00e3eada','vit');
INSERT INTO config_values VALUES('encoder.patch','7541168993f4',4);
INSERT INTO config_values VALUES('encoder.patch','f18d00e3eada',4);
INSERT INTO config_values VALUES('encoder.preset','7541168993f4','vit_nano');
INSERT INTO config_values VALUES('encoder.preset','f18d00e3eada','vit_nano');
INSERT INTO config_values VALUES('finetune.accumulate','7541168993f4','auto');
INSERT INTO config_values VALUES('finetune.augment.color_jitter','7541168993f4',0.0);
INSERT INTO config_values VALUES('finetune.augment.crop_ratio','7541168993f4','[0.75,1.3333333333333333]');
INSERT INTO config_values VALUES('finetune.augment.crop_scale','7541168993f4','[0.08,1.0]');
INSERT INTO config_values VALUES('finetune.augment.enabled','7541168993f4',1);
INSERT INTO config_values VALUES('finetune.augment.erasing','7541168993f4',0.0);
INSERT INTO config_values VALUES('finetune.augment.erasing_area','7541168993f4','[0.02,0.3333333333333333]');
INSERT INTO config_values VALUES('finetune.augment.erasing_aspect','7541168993f4','[0.3,3.3333333333333335]');
INSERT INTO config_values VALUES('finetune.augment.erasing_count','7541168993f4',1);
INSERT INTO config_values VALUES('finetune.augment.erasing_mode','7541168993f4','pixel');
INSERT INTO config_values VALUES('finetune.augment.flip','7541168993f4',0.5);
INSERT INTO config_values VALUES('finetune.augment.interpolation','7541168993f4','bicubic');
INSERT INTO config_values VALUES('finetune.augment.randaugment','7541168993f4','');
INSERT INTO config_values VALUES('finetune.base_lr','7541168993f4','auto');
INSERT INTO config_values VALUES('finetune.batch_size','7541168993f4',32);
INSERT INTO config_values VALUES('finetune.betas','7541168993f4','[0.9,0.999]');
INSERT INTO config_values VALUES('finetune.clip_norm','7541168993f4',5.0);
INSERT INTO config_values VALUES('finetune.cutmix','7541168993f4',0.0);
INSERT INTO config_values VALUES('finetune.drop_path','7541168993f4',0.10000000000000000555);
INSERT INTO config_values VALUES('finetune.ema','7541168993f4',0.0);
INSERT INTO config_values VALUES('finetune.epochs','7541168993f4',1);
INSERT INTO config_values VALUES('finetune.eps','7541168993f4',1.0000000000000000209e-08);
INSERT INTO config_values VALUES('finetune.eval_epochs','7541168993f4',1);
INSERT INTO config_values VALUES('finetune.from','7541168993f4','pretrain');
INSERT INTO config_values VALUES('finetune.gamma','7541168993f4',0.10000000000000000555);
INSERT INTO config_values VALUES('finetune.keep_epochs','7541168993f4',0);
INSERT INTO config_values VALUES('finetune.label_smoothing','7541168993f4',0.10000000000000000555);
INSERT INTO config_values VALUES('finetune.layer_decay','7541168993f4',0.75);
INSERT INTO config_values VALUES('finetune.limit_labels','7541168993f4','auto');
INSERT INTO config_values VALUES('finetune.log_steps','7541168993f4',10);
INSERT INTO config_values VALUES('finetune.lr','7541168993f4',0.0005000000000000000104);
INSERT INTO config_values VALUES('finetune.lr_per','7541168993f4',512);
INSERT INTO config_values VALUES('finetune.max_skipped_steps','7541168993f4',10);
INSERT INTO config_values VALUES('finetune.milestones','7541168993f4','[]');
INSERT INTO config_values VALUES('finetune.min_lr','7541168993f4',0.0);
INSERT INTO config_values VALUES('finetune.mix_prob','7541168993f4',1.0);
INSERT INTO config_values VALUES('finetune.mix_switch','7541168993f4',0.5);
INSERT INTO config_values VALUES('finetune.mixup','7541168993f4',0.0);
INSERT INTO config_values VALUES('finetune.save_minutes','7541168993f4',5.0);
INSERT INTO config_values VALUES('finetune.save_steps','7541168993f4',0);
INSERT INTO config_values VALUES('finetune.schedule','7541168993f4','cosine');
INSERT INTO config_values VALUES('finetune.seed','7541168993f4','auto');
INSERT INTO config_values VALUES('finetune.select','7541168993f4','last');
INSERT INTO config_values VALUES('finetune.steps','7541168993f4','auto');
INSERT INTO config_values VALUES('finetune.warmup_epochs','7541168993f4',0.0);
INSERT INTO config_values VALUES('finetune.warmup_lr','7541168993f4',0.0);
INSERT INTO config_values VALUES('finetune.weight_decay','7541168993f4',0.050000000000000002775);
INSERT INTO config_values VALUES('head.name','f18d00e3eada','linear');
INSERT INTO config_values VALUES('loss.area','f18d00e3eada','masked');
INSERT INTO config_values VALUES('loss.name','f18d00e3eada','l1');
INSERT INTO config_values VALUES('loss.partial','f18d00e3eada','share');
INSERT INTO config_values VALUES('mask.name','f18d00e3eada','random');
INSERT INTO config_values VALUES('mask.patch','f18d00e3eada',8);
INSERT INTO config_values VALUES('mask.ratio','f18d00e3eada',0.59999999999999997779);
INSERT INTO config_values VALUES('method.name','f18d00e3eada','simmim');
INSERT INTO config_values VALUES('precision','7541168993f4','f32');
INSERT INTO config_values VALUES('precision','f18d00e3eada','f32');
INSERT INTO config_values VALUES('pretrain.accumulate','f18d00e3eada','auto');
INSERT INTO config_values VALUES('pretrain.augment.crop_ratio','f18d00e3eada','[0.75,1.3333333333333333]');
INSERT INTO config_values VALUES('pretrain.augment.crop_scale','f18d00e3eada','[0.67,1.0]');
INSERT INTO config_values VALUES('pretrain.augment.enabled','f18d00e3eada',1);
INSERT INTO config_values VALUES('pretrain.augment.flip','f18d00e3eada',0.5);
INSERT INTO config_values VALUES('pretrain.augment.interpolation','f18d00e3eada','bilinear');
INSERT INTO config_values VALUES('pretrain.base_lr','f18d00e3eada','auto');
INSERT INTO config_values VALUES('pretrain.batch_size','f18d00e3eada',32);
INSERT INTO config_values VALUES('pretrain.betas','f18d00e3eada','[0.9,0.999]');
INSERT INTO config_values VALUES('pretrain.clip_norm','f18d00e3eada',5.0);
INSERT INTO config_values VALUES('pretrain.epochs','f18d00e3eada',1);
INSERT INTO config_values VALUES('pretrain.eps','f18d00e3eada',1.0000000000000000209e-08);
INSERT INTO config_values VALUES('pretrain.gamma','f18d00e3eada',0.10000000000000000555);
INSERT INTO config_values VALUES('pretrain.keep_epochs','f18d00e3eada',0);
INSERT INTO config_values VALUES('pretrain.log_steps','f18d00e3eada',10);
INSERT INTO config_values VALUES('pretrain.lr','f18d00e3eada',0.0010000000000000000208);
INSERT INTO config_values VALUES('pretrain.lr_per','f18d00e3eada',512);
INSERT INTO config_values VALUES('pretrain.max_skipped_steps','f18d00e3eada',10);
INSERT INTO config_values VALUES('pretrain.milestones','f18d00e3eada','[]');
INSERT INTO config_values VALUES('pretrain.min_lr','f18d00e3eada',0.0);
INSERT INTO config_values VALUES('pretrain.save_minutes','f18d00e3eada',5.0);
INSERT INTO config_values VALUES('pretrain.save_steps','f18d00e3eada',0);
INSERT INTO config_values VALUES('pretrain.schedule','f18d00e3eada','cosine');
INSERT INTO config_values VALUES('pretrain.steps','f18d00e3eada','auto');
INSERT INTO config_values VALUES('pretrain.val_epochs','f18d00e3eada',1);
INSERT INTO config_values VALUES('pretrain.warmup_epochs','f18d00e3eada',0.0);
INSERT INTO config_values VALUES('pretrain.warmup_lr','f18d00e3eada',0.0);
INSERT INTO config_values VALUES('pretrain.weight_decay','f18d00e3eada',0.050000000000000002775);
INSERT INTO config_values VALUES('seed','7541168993f4',0);
INSERT INTO config_values VALUES('seed','f18d00e3eada',0);
INSERT INTO config_values VALUES('stage','7541168993f4','finetune');
INSERT INTO config_values VALUES('stage','f18d00e3eada','pretrain');
INSERT INTO config_values VALUES('target.name','f18d00e3eada','pixels');
INSERT INTO config_values VALUES('target.normalise','f18d00e3eada','none');
INSERT INTO config_values VALUES('target.patch','f18d00e3eada','auto');
INSERT INTO config_values VALUES('target.resolution','f18d00e3eada',32);
INSERT INTO config_values VALUES('target.window','f18d00e3eada',47);
CREATE TABLE metrics (
  run TEXT NOT NULL, key TEXT NOT NULL, step INTEGER NOT NULL, epoch REAL, value REAL, seconds REAL,
  PRIMARY KEY (run, key, step)) WITHOUT ROWID;
INSERT INTO metrics VALUES('7541168993f4','data_wait',2,1.0,0.021833694282421371724,0.061623339999999998672);
INSERT INTO metrics VALUES('7541168993f4','grad_norm',2,1.0,0.86195707321166992187,0.061623339999999998672);
INSERT INTO metrics VALUES('7541168993f4','images_per_second',2,1.0,1038.5545359023515175,0.061623339999999998672);
INSERT INTO metrics VALUES('7541168993f4','loss',2,1.0,2.3028399944305419921,0.061623339999999998672);
INSERT INTO metrics VALUES('7541168993f4','lr',2,1.0,0.0005000000000000000104,0.061623339999999998672);
INSERT INTO metrics VALUES('7541168993f4','val.loss',2,1.0,2.2945183031260967254,0.061623339999999998672);
INSERT INTO metrics VALUES('7541168993f4','val.top1',2,1.0,14.0625,0.061623339999999998672);
INSERT INTO metrics VALUES('7541168993f4','val.top5',2,1.0,70.3125,0.061623339999999998672);
INSERT INTO metrics VALUES('f18d00e3eada','data_wait',2,1.0,0.031309433140772280346,0.033205854999999999399);
INSERT INTO metrics VALUES('f18d00e3eada','grad_norm',2,1.0,2.1537033319473266601,0.033205854999999999399);
INSERT INTO metrics VALUES('f18d00e3eada','images_per_second',2,1.0,1927.3069796789870906,0.033205854999999999399);
INSERT INTO metrics VALUES('f18d00e3eada','loss',2,1.0,0.91664704680442810058,0.033205854999999999399);
INSERT INTO metrics VALUES('f18d00e3eada','lr',2,1.0,0.0010000000000000000208,0.033205854999999999399);
INSERT INTO metrics VALUES('f18d00e3eada','val.loss',2,1.0,0.85757765173912048339,0.033205854999999999399);
CREATE TABLE metric_summary (
  run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE, key TEXT NOT NULL, count INTEGER, first REAL, last REAL,
  min REAL, max REAL, min_step INTEGER, max_step INTEGER,
  PRIMARY KEY (run, key)) WITHOUT ROWID;
INSERT INTO metric_summary VALUES('7541168993f4','data_wait',1,0.021833694282421371724,0.021833694282421371724,0.021833694282421371724,0.021833694282421371724,2,2);
INSERT INTO metric_summary VALUES('7541168993f4','grad_norm',1,0.86195707321166992187,0.86195707321166992187,0.86195707321166992187,0.86195707321166992187,2,2);
INSERT INTO metric_summary VALUES('7541168993f4','images_per_second',1,1038.5545359023515175,1038.5545359023515175,1038.5545359023515175,1038.5545359023515175,2,2);
INSERT INTO metric_summary VALUES('7541168993f4','loss',1,2.3028399944305419921,2.3028399944305419921,2.3028399944305419921,2.3028399944305419921,2,2);
INSERT INTO metric_summary VALUES('7541168993f4','lr',1,0.0005000000000000000104,0.0005000000000000000104,0.0005000000000000000104,0.0005000000000000000104,2,2);
INSERT INTO metric_summary VALUES('7541168993f4','val.loss',1,2.2945183031260967254,2.2945183031260967254,2.2945183031260967254,2.2945183031260967254,2,2);
INSERT INTO metric_summary VALUES('7541168993f4','val.top1',1,14.0625,14.0625,14.0625,14.0625,2,2);
INSERT INTO metric_summary VALUES('7541168993f4','val.top5',1,70.3125,70.3125,70.3125,70.3125,2,2);
INSERT INTO metric_summary VALUES('f18d00e3eada','data_wait',1,0.031309433140772280346,0.031309433140772280346,0.031309433140772280346,0.031309433140772280346,2,2);
INSERT INTO metric_summary VALUES('f18d00e3eada','grad_norm',1,2.1537033319473266601,2.1537033319473266601,2.1537033319473266601,2.1537033319473266601,2,2);
INSERT INTO metric_summary VALUES('f18d00e3eada','images_per_second',1,1927.3069796789870906,1927.3069796789870906,1927.3069796789870906,1927.3069796789870906,2,2);
INSERT INTO metric_summary VALUES('f18d00e3eada','loss',1,0.91664704680442810058,0.91664704680442810058,0.91664704680442810058,0.91664704680442810058,2,2);
INSERT INTO metric_summary VALUES('f18d00e3eada','lr',1,0.0010000000000000000208,0.0010000000000000000208,0.0010000000000000000208,0.0010000000000000000208,2,2);
INSERT INTO metric_summary VALUES('f18d00e3eada','val.loss',1,0.85757765173912048339,0.85757765173912048339,0.85757765173912048339,0.85757765173912048339,2,2);
CREATE TABLE artifacts (
  run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE, path TEXT NOT NULL, bytes INTEGER,
  PRIMARY KEY (run, path)) WITHOUT ROWID;
INSERT INTO artifacts VALUES('7541168993f4','config.json',2972);
INSERT INTO artifacts VALUES('7541168993f4','eval.safetensors',2112);
INSERT INTO artifacts VALUES('7541168993f4','final.safetensors',64392);
INSERT INTO artifacts VALUES('7541168993f4','last.safetensors',192692);
INSERT INTO artifacts VALUES('7541168993f4','log.txt',349);
INSERT INTO artifacts VALUES('7541168993f4','metrics.jsonl',251);
INSERT INTO artifacts VALUES('7541168993f4','run.json',1179);
INSERT INTO artifacts VALUES('f18d00e3eada','config.json',2859);
INSERT INTO artifacts VALUES('f18d00e3eada','final.safetensors',69536);
INSERT INTO artifacts VALUES('f18d00e3eada','last.safetensors',208832);
INSERT INTO artifacts VALUES('f18d00e3eada','log.txt',310);
INSERT INTO artifacts VALUES('f18d00e3eada','metrics.jsonl',213);
INSERT INTO artifacts VALUES('f18d00e3eada','reconstruction.png',30911);
INSERT INTO artifacts VALUES('f18d00e3eada','run.json',1035);
CREATE TABLE sweeps (
  name TEXT PRIMARY KEY, revision INTEGER NOT NULL, about TEXT, file TEXT, threads INTEGER, axes TEXT, seeds TEXT,
  "table" TEXT, paper TEXT, stamp TEXT) WITHOUT ROWID;
INSERT INTO sweeps VALUES('s',1,'a fixture','s.json',1,'["mask.ratio"]','[0]','{}','','1795626230.809719223:7996:11184399');
CREATE TABLE sweep_cells (
  sweep TEXT NOT NULL REFERENCES sweeps(name) ON DELETE CASCADE, position INTEGER NOT NULL, cell TEXT NOT NULL,
  seed INTEGER NOT NULL, stage TEXT NOT NULL, run TEXT NOT NULL,
  "values" TEXT,   -- axis -> value, JSON
  paper TEXT,      -- the cell of paper_values that holds under the same conditions, or null
  PRIMARY KEY (sweep, position, seed, stage, run)) WITHOUT ROWID;
INSERT INTO sweep_cells VALUES('s',0,'mask.ratio=0.6',0,'finetune','7541168993f4','{"mask.ratio":0.6}',NULL);
INSERT INTO sweep_cells VALUES('s',0,'mask.ratio=0.6',0,'pretrain','f18d00e3eada','{"mask.ratio":0.6}',NULL);
CREATE TABLE paper_values (
  "table" TEXT NOT NULL, cell TEXT NOT NULL, stage TEXT NOT NULL, metric TEXT NOT NULL, value REAL,
  verified INTEGER NOT NULL, source TEXT,
  PRIMARY KEY ("table", cell, stage, metric)) WITHOUT ROWID;
INSERT INTO paper_values VALUES('paper/1','mask.name=blockwise mask.patch=16 mask.ratio=0.4','finetune','test.top1',82.70000000000000284,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=blockwise mask.patch=16 mask.ratio=0.6','finetune','test.top1',82.599999999999994312,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=blockwise mask.patch=16 mask.ratio=0.8','finetune','test.top1',82.400000000000005687,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=blockwise mask.patch=32 mask.ratio=0.4','finetune','test.top1',82.70000000000000284,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=blockwise mask.patch=32 mask.ratio=0.6','finetune','test.top1',82.599999999999994312,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=blockwise mask.patch=32 mask.ratio=0.8','finetune','test.top1',82.400000000000005687,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=random mask.patch=16 mask.ratio=0.4','finetune','test.top1',82.400000000000005687,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=random mask.patch=16 mask.ratio=0.6','finetune','test.top1',82.599999999999994312,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=random mask.patch=16 mask.ratio=0.8','finetune','test.top1',82.799999999999997161,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=random mask.patch=32 mask.ratio=0.1','finetune','test.top1',82.70000000000000284,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=random mask.patch=32 mask.ratio=0.2','finetune','test.top1',82.799999999999997161,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=random mask.patch=32 mask.ratio=0.3','finetune','test.top1',82.799999999999997161,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=random mask.patch=32 mask.ratio=0.4','finetune','test.top1',82.799999999999997161,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=random mask.patch=32 mask.ratio=0.5','finetune','test.top1',83.0,0,'recalled; that the best is 83.0 is verified');
INSERT INTO paper_values VALUES('paper/1','mask.name=random mask.patch=32 mask.ratio=0.6','finetune','test.top1',82.799999999999997161,1,'SimMIM README.md:41');
INSERT INTO paper_values VALUES('paper/1','mask.name=random mask.patch=32 mask.ratio=0.7','finetune','test.top1',82.70000000000000284,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=random mask.patch=32 mask.ratio=0.8','finetune','test.top1',82.400000000000005687,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=random mask.patch=32 mask.ratio=0.9','finetune','test.top1',82.400000000000005687,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=random mask.patch=4 mask.ratio=0.4','finetune','test.top1',81.900000000000005686,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=random mask.patch=4 mask.ratio=0.6','finetune','test.top1',82.0,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=random mask.patch=4 mask.ratio=0.8','finetune','test.top1',82.099999999999994319,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=random mask.patch=8 mask.ratio=0.4','finetune','test.top1',82.0,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=random mask.patch=8 mask.ratio=0.6','finetune','test.top1',82.099999999999994319,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=random mask.patch=8 mask.ratio=0.8','finetune','test.top1',82.400000000000005687,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=square mask.patch=32 mask.ratio=0.11','finetune','test.top1',82.599999999999994312,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=square mask.patch=32 mask.ratio=0.25','finetune','test.top1',82.5,0,'recalled');
INSERT INTO paper_values VALUES('paper/1','mask.name=square mask.patch=32 mask.ratio=0.44','finetune','test.top1',82.5,0,'recalled');
INSERT INTO paper_values VALUES('paper/2','head.name=inverse_swin head.size=base','finetune','test.top1',82.5,0,'recalled');
INSERT INTO paper_values VALUES('paper/2','head.name=inverse_swin head.size=tiny','finetune','test.top1',82.400000000000005687,0,'recalled');
INSERT INTO paper_values VALUES('paper/2','head.name=linear','finetune','test.top1',82.799999999999997161,1,'SimMIM README.md:41');
INSERT INTO paper_values VALUES('paper/2','head.name=mlp','finetune','test.top1',82.799999999999997161,0,'recalled');
INSERT INTO paper_values VALUES('paper/3','target.resolution=12','finetune','test.top1',82.70000000000000284,0,'recalled');
INSERT INTO paper_values VALUES('paper/3','target.resolution=192','finetune','test.top1',82.799999999999997161,1,'SimMIM README.md:41');
INSERT INTO paper_values VALUES('paper/3','target.resolution=24','finetune','test.top1',82.799999999999997161,0,'recalled');
INSERT INTO paper_values VALUES('paper/3','target.resolution=48','finetune','test.top1',82.70000000000000284,0,'recalled');
INSERT INTO paper_values VALUES('paper/3','target.resolution=6','finetune','test.top1',82.299999999999997159,0,'recalled');
INSERT INTO paper_values VALUES('paper/3','target.resolution=96','finetune','test.top1',82.799999999999997161,0,'recalled');
INSERT INTO paper_values VALUES('paper/4','target.name=color_bins loss.name=cross_entropy','finetune','test.top1',82.70000000000000284,0,'recalled, 8 bins');
INSERT INTO paper_values VALUES('paper/4','target.name=color_clusters loss.name=cross_entropy','finetune','test.top1',82.400000000000005687,0,'recalled');
INSERT INTO paper_values VALUES('paper/4','target.name=dvae_tokens loss.name=cross_entropy','finetune','test.top1',82.70000000000000284,0,'recalled');
INSERT INTO paper_values VALUES('paper/4','target.name=pixels loss.name=l1','finetune','test.top1',82.799999999999997161,1,'SimMIM README.md:41');
INSERT INTO paper_values VALUES('paper/4','target.name=pixels loss.name=l2','finetune','test.top1',82.70000000000000284,0,'recalled');
INSERT INTO paper_values VALUES('paper/4','target.name=pixels loss.name=smooth_l1','finetune','test.top1',82.70000000000000284,0,'recalled');
INSERT INTO paper_values VALUES('paper/5','loss.area=all','finetune','test.top1',81.700000000000002845,1,'quoted by a reader of the paper; agrees with the text''s +1.1');
INSERT INTO paper_values VALUES('paper/5','loss.area=masked','finetune','test.top1',82.799999999999997161,1,'SimMIM README.md:41');
INSERT INTO paper_values VALUES('paper/6','method.name=dino','finetune','test.top1',82.799999999999997161,0,'recalled');
INSERT INTO paper_values VALUES('paper/6','method.name=dino','probe','test.top1',78.200000000000002842,0,'recalled');
INSERT INTO paper_values VALUES('paper/6','method.name=moco_v3','finetune','test.top1',83.200000000000002842,0,'recalled');
INSERT INTO paper_values VALUES('paper/6','method.name=moco_v3','probe','test.top1',76.700000000000002841,0,'recalled');
INSERT INTO paper_values VALUES('paper/6','method.name=simmim','finetune','test.top1',83.799999999999997156,1,'SimMIM README.md:54');
INSERT INTO paper_values VALUES('paper/6','method.name=simmim','probe','test.top1',56.700000000000002841,1,'author''s answer in microsoft/SimMIM#14');
INSERT INTO paper_values VALUES('paper/7','encoder.preset=swin_base finetune.from=pretrain','finetune','test.top1',84.0,1,'SimMIM README.md:43');
INSERT INTO paper_values VALUES('paper/7','encoder.preset=swin_base finetune.from=scratch','finetune','test.top1',83.299999999999997154,0,'recalled');
INSERT INTO paper_values VALUES('paper/7','encoder.preset=swin_large finetune.from=pretrain','finetune','test.top1',85.40000000000000568,1,'SimMIM README.md:44');
INSERT INTO paper_values VALUES('paper/7','encoder.preset=swin_large finetune.from=scratch','finetune','test.top1',83.500000000000000003,1,'co-author''s answer in microsoft/Swin-Transformer#49');
CREATE INDEX runs_by_parent ON runs(parent);
CREATE INDEX runs_running ON runs(id) WHERE state = 'running';
CREATE INDEX sweep_cells_by_run ON sweep_cells(run);
CREATE VIEW results AS 
SELECT r.id AS run, r.parent, r.kind, r.state AS state, r.seed,
  coalesce(r.method, p.method, g.method) AS method, r.encoder,
  coalesce(r.mask, p.mask, g.mask) AS mask, coalesce(r.mask_patch, p.mask_patch, g.mask_patch) AS mask_patch,
  coalesce(r.mask_ratio, p.mask_ratio, g.mask_ratio) AS mask_ratio, coalesce(r.head, p.head, g.head) AS head,
  coalesce(r.target, p.target, g.target) AS target,
  coalesce(r.target_resolution, p.target_resolution, g.target_resolution) AS target_resolution,
  coalesce(r.loss, p.loss, g.loss) AS loss, coalesce(r.area, p.area, g.area) AS area, r.dataset,
  r.parameters, r.epochs, r.steps, r.images_seen, r.val_top1, r.test_top1, r.test_top5, r.best_epoch, r.train_loss,
  r.val_loss, r.images_per_second, r.seconds, r.gpus, r.gpu_seconds / 3600 AS gpu_hours,
  (r.gpu_seconds + coalesce(p.gpu_seconds, 0) + coalesce(g.gpu_seconds, 0) + coalesce(h.gpu_seconds, 0)) / 3600
    AS chain_gpu_hours,
  r.skipped_steps, r.device, r.precision, r.host, r.git_commit, r.started_at, r.error,
  (SELECT c.value FROM main.config_values c WHERE c.key = '' AND c.run = r.id) AS config
FROM main.runs r LEFT JOIN main.runs p ON p.id = r.parent LEFT JOIN main.runs g ON g.id = p.parent
  LEFT JOIN main.runs h ON h.id = g.parent;
CREATE VIEW members AS SELECT sweep, cell, seed, stage, run FROM sweep_cells;
CREATE VIEW curves AS SELECT run, key, step, epoch, value, seconds FROM metrics;
CREATE VIEW cells AS
WITH
  metric_of(stage, metric) AS (VALUES ('pretrain', 'val.loss'), ('pretrain', 'train.loss'),
    ('finetune', 'val.top1'), ('finetune', 'test.top1'), ('finetune', 'test.top5'), ('finetune', 'train.loss'),
    ('probe', 'val.top1'), ('probe', 'test.top1'), ('probe', 'test.top5'),
    ('eval', 'test.top1'), ('eval', 'test.top5')),
  by_seed AS (
    SELECT c.sweep, c.cell, c.position, c.stage, m.metric, c.seed, max(c.paper) AS paper,
      CASE WHEN count(*) = sum(r.state = 'done') THEN avg(CASE m.metric WHEN 'val.top1' THEN r.val_top1
        WHEN 'test.top1' THEN r.test_top1 WHEN 'test.top5' THEN r.test_top5 WHEN 'val.loss' THEN r.val_loss
        ELSE r.train_loss END) END AS value,
      max(r.state IN ('failed', 'lost', 'stopped')) AS failed
    FROM sweep_cells c JOIN metric_of m ON m.stage = c.stage LEFT JOIN runs r ON r.id = c.run
    GROUP BY c.sweep, c.position, c.stage, m.metric, c.seed),
  by_cell AS (
    SELECT sweep, cell, position, stage, metric, avg(value) AS mean, count(value) AS n, count(*) AS planned,
      coalesce(sum(failed), 0) AS failed, max(paper) AS paper
    FROM by_seed GROUP BY sweep, position, stage, metric),
  spread AS (
    SELECT c.*, CASE WHEN c.n > 1 THEN (SELECT sum((s.value - c.mean) * (s.value - c.mean)) / (c.n - 1) FROM by_seed s
      WHERE s.sweep = c.sweep AND s.position = c.position AND s.stage = c.stage AND s.metric = c.metric) END AS variance
    FROM by_cell c)
SELECT sweep, cell, stage, metric, mean,
  CASE WHEN variance IS NULL THEN NULL WHEN variance <= 0 THEN 0.0 ELSE
    (WITH RECURSIVE root(x, k) AS (SELECT max(variance, 1.0), 0
       UNION ALL SELECT 0.5 * (x + variance / x), k + 1 FROM root WHERE k < 60)
     SELECT x FROM root WHERE k = 60) END AS std,
  n, planned, failed,
  (SELECT v.value FROM paper_values v JOIN sweeps w ON w.name = spread.sweep
     WHERE v."table" = w.paper AND v.cell = spread.paper AND v.stage = spread.stage AND v.metric = spread.metric)
    AS paper
FROM spread ORDER BY sweep, position, stage, metric;
COMMIT;
