// Training of the discrete VAE whose tokens the target dvae_tokens predicts.
#pragma once
#include "config/dvae.h"
#include "train/session.h"
#include "train/stage.h"

namespace simmim {

// Trains on setup's training images with Gumbel-softmax (Jang et al., 2017; Maddison et al., 2017) as DALL-E does
// (Ramesh et al., 2021, section 2.1), and writes `output`: safetensors, the encoder under the published names, the
// decoder with "decoder." before, the options in its metadata; equal runs write equal bytes. One "epoch" event an
// epoch.
// -> {"state","output","parameters","stride","tokens","vocabulary","steps","seconds","split","images" and the measures
// of Reconstruction}. When asked to stop it leaves OUTPUT.partial, from which the same call goes on, and returns
// {"state": "interrupted", ...}.
Json train_dvae(const StageSetup& setup, const DvaeOptions& options, const fs::path& output, const EventSink& sink);

// How well images come back from their likeliest tokens, and how many of the tokens are in use.
struct Reconstruction {
  int64_t images = 0;
  double rmse = 0, mae = 0;  // of colours in [0,1]
  int64_t tokens_used = 0;   // of the vocabulary, at least once
  double perplexity = 0;     // e^entropy of how often each token is used: as many tokens in equal use
  Json to_json() const;
};
Reconstruction reconstruct_by_tokens(const Dvae& dvae, const StageSetup& setup, Split split, int64_t batch_size);

}  // namespace simmim
