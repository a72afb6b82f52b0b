// What the engine does when asked: one function a request, JSON in, JSON out. engine.cpp holds the table.
#pragma once
#include "config/resolve.h"
#include "train/session.h"

namespace simmim {

// {"layers","stages","from","out","force"} or {"requests":[such objects],"out"}; see resolve_stages. Of several
// requests each has its own answer, {"stages","warnings"} or {"error"}.
Json resolve_command(const Json& request, const EventSink& sink);

// {"stage": an entry of resolve's answer, "out","db","threads","fresh"} -> {"id","state","summary"}.
Json run_command(const Json& request, const EventSink& sink);

// Meets the other processes of this one's launch (core/launch.h), and takes leave of them. Between the two a "run"
// without "stage" takes part in what rank 0 runs.
Json join_command(const Json& request, const EventSink& sink);
Json leave_command(const Json& request, const EventSink& sink);

// {"from","layers","out"}: test accuracy of a classifier; of a run also its eval.safetensors.
Json eval_command(const Json& request, const EventSink& sink);

// {"from","images":[...],"layers","out"} -> {"images":[{"image","class","probability","top5","logits"}]}.
Json predict_command(const Json& request, const EventSink& sink);

// {"from","images","mask","layers","out","output"} -> {"output","images":[{"image","ratio","loss","accuracy"?,
// "perplexity"?}]}.
Json reconstruct_command(const Json& request, const EventSink& sink);

// {"layers","count" or "mask" (a drawn one),"output"} -> {"masks":[{"ratio","avg_dist"}],"ratio","avg_dist","grid"}.
Json mask_command(const Json& request, const EventSink& sink);

// {"file" (or a run),"out"} -> weights/inspect.h, and "model": what it would be built as, or why it cannot.
Json inspect_command(const Json& request, const EventSink& sink);

// {"from","format":"safetensors"|"simmim"|"timm"|"hf","output","layers","out"} -> {"output","format","kind","tensors",
// "left_out":[names without a place there],"notes","model"?,"model_config"?,"load"?: a line of Python}.
Json export_command(const Json& request, const EventSink& sink);

// {"what":"step"|"loader","stage","layers"} -> rates of this machine.
Json bench_command(const Json& request, const EventSink& sink);

// {"action":"info"|"fetch"|"pack"|"fit-clusters"|"train-dvae","name","layers","output"}. fit-clusters:
// {"output","clusters", "resolution","images","colors","inertia" (mean squared distance of a colour, -1 to 1, from its
// centre)}.
Json data_command(const Json& request, const EventSink& sink);

// {"golden": folder} -> {"golden","official","compared","failed","rows"}; rows as compare_all gives them.
Json parity_command(const Json& request, const EventSink& sink);

ResolveRequest resolve_request(const Json& request);

// The folder of data sets that the site file names (~/.config/simmim/site.json, "data"), or "".
fs::path site_data_folder();

}  // namespace simmim
