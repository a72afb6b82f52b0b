// Probes of frozen features: one linear classifier a block and rate, trained together on features that are computed
// once (BEiT's run_linear_eval.py, with SimMIM's mean of patch tokens), or k nearest neighbours.
#include <cmath>

#include "config/resolve.h"
#include "train/evaluate.h"
#include "train/stages.h"
#include "train/tensors.h"

namespace simmim {
namespace {

constexpr int64_t kFeatureBatch = 256;
constexpr double kStdFloor = 1e-6;

struct Features {
  std::vector<Tensor> blocks;  // one (n,D) a block, f32 on the CPU
  Tensor labels;               // (n)
};

Features read_features(Session& session, const Classifier& model, const StageSetup& setup, Split split,
                       std::vector<int64_t> subset) {
  LoaderOptions loading = setup.evaluation(split, kFeatureBatch);
  loading.subset = std::move(subset);
  Loader loader(*setup.dataset, loading);
  std::vector<std::vector<Tensor>> parts(static_cast<size_t>(model.encoder().layers()));
  std::vector<int64_t> labels;
  while (const Batch* batch = loader.next()) {
    const std::vector<Tensor> blocks = model.features(setup.normalise(batch->pixels, 0, batch->size()));
    for (size_t b = 0; b < blocks.size(); ++b) parts[b].push_back(blocks[b].to(at::kCPU).to(at::kFloat));
    labels.insert(labels.end(), batch->labels.begin(), batch->labels.end());
    session.event({{"event", "progress"},
                   {"what", fmt::format("features of {}", split_name(split))},
                   {"step", static_cast<int64_t>(labels.size())},
                   {"steps", loader.images()}});
    if (interrupt_requested()) return {};
  }
  Features features{.labels = at::from_blob(labels.data(), {static_cast<int64_t>(labels.size())}, at::kLong).clone()};
  for (const std::vector<Tensor>& part : parts) features.blocks.push_back(at::cat(part));
  return features;
}

// Which blocks take part, from 0.
std::vector<size_t> chosen_blocks(const ProbeOptions& options, int64_t layers) {
  std::vector<size_t> blocks;
  if (options.layer == "all" && options.name == "linear") {
    for (int64_t b = 0; b < layers; ++b) blocks.push_back(static_cast<size_t>(b));
  } else {
    const int64_t block = options.layer.is_number() ? options.layer.get<int64_t>() : layers;
    blocks.push_back(static_cast<size_t>(block - 1));
  }
  return blocks;
}

Tensor normalised(const Tensor& features, const Tensor& mean, const Tensor& std) { return (features - mean) / std; }

double accuracy(const Tensor& logits, const Tensor& labels) {
  return 100 * (logits.argmax(1) == labels).to(at::kDouble).mean().item<double>();
}

struct Candidate {
  size_t block = 0;
  double lr = 0, val_top1 = 0;
  Tensor weight, bias, mean, std;
  Tensor logits(const Features& features) const {
    return at::linear(normalised(features.blocks[block], mean, std), weight.detach(), bias.detach());
  }
};

std::vector<Candidate> train_linear(Session& session, const ProbeOptions& options, uint64_t seed, int64_t classes,
                                    const Features& train, const std::vector<size_t>& blocks) {
  NamedTensors store;
  const Scope scope(store, ModelContext{.seed = seed});
  std::vector<Candidate> candidates;
  std::vector<ParameterGroup> groups;
  const double peak = *std::max_element(options.lr.begin(), options.lr.end());
  for (const size_t block : blocks) {
    const Tensor mean = train.blocks[block].mean(0), std = train.blocks[block].std(0).clamp_min(kStdFloor);
    for (const double lr : options.lr) {
      const Scope head = scope / fmt::format("block{}.lr{}", block + 1, lr);
      Candidate candidate{.block = block, .lr = lr, .mean = mean, .std = std};
      candidate.weight = head.make("weight", {classes, train.blocks[block].size(1)}, truncated_normal(0.01, 0.02));
      candidate.bias = head.make("bias", {classes}, constant(0));
      groups.push_back({lr / peak, options.weight_decay, {store[store.size() - 2]}});
      groups.push_back({lr / peak, 0, {store.back()}});
      candidates.push_back(std::move(candidate));
    }
  }
  AdamW optimizer(std::move(groups), {.clip_norm = 0});
  const int64_t n = train.labels.size(0), batch = std::min(options.batch_size, n), per_epoch = n / batch;
  const Schedule schedule{.kind = "cosine", .peak = peak, .steps = options.epochs * per_epoch};
  for (int64_t epoch = 0; epoch < options.epochs && !interrupt_requested(); ++epoch) {
    std::vector<int64_t> order = Rng(seed, "probe order", static_cast<uint64_t>(epoch)).permutation(n);
    const Tensor permutation = at::from_blob(order.data(), {n}, at::kLong);
    double sum = 0;
    for (int64_t step = 0; step < per_epoch; ++step) {
      const Tensor index = permutation.slice(0, step * batch, (step + 1) * batch);
      const Tensor labels = train.labels.index_select(0, index);
      optimizer.zero_grad();
      Tensor loss;
      for (const size_t block : blocks) {
        Tensor rows;
        for (const Candidate& c : candidates) {
          if (c.block != block) continue;
          if (!rows.defined()) rows = normalised(train.blocks[block].index_select(0, index), c.mean, c.std);
          const Tensor one = cross_entropy(at::linear(rows, c.weight, c.bias), labels, 0);
          loss = loss.defined() ? loss + one : one;
        }
      }
      loss.backward();
      optimizer.step(schedule, epoch * per_epoch + step, loss);
      sum += loss.item<double>() / static_cast<double>(candidates.size());
    }
    session.event({{"event", "progress"},
                   {"what", "linear probes"},
                   {"step", epoch + 1},
                   {"steps", options.epochs},
                   {"loss", sum / static_cast<double>(per_epoch)}});
  }
  return candidates;
}

// Votes of the nearest training images, (n,K) (Wu et al., 2018).
Tensor knn_votes(const ProbeOptions& options, int64_t classes, const Tensor& train, const Tensor& labels,
                 const Tensor& features) {
  const auto unit = [](const Tensor& x) { return x / at::linalg_vector_norm(x, 2, {1}, true).clamp_min(1e-12); };
  const Tensor bank = unit(train).t();
  const int64_t k = std::min(options.neighbours, labels.size(0));
  std::vector<Tensor> votes;
  for (int64_t first = 0; first < features.size(0); first += kFeatureBatch) {
    const auto [similarity, index] = at::mm(unit(features.slice(0, first, first + kFeatureBatch)), bank).topk(k, 1);
    const Tensor vote = at::zeros({similarity.size(0), classes});
    vote.scatter_add_(1, labels.index_select(0, index.flatten()).view(index.sizes()),
                      (similarity / options.temperature).exp());
    votes.push_back(vote);
  }
  return at::cat(votes);
}

}  // namespace

StageResult probe(Session& session, const Json& entry, const fs::path& weights, const fs::path& site_data) {
  const at::NoGradGuard no_grad;
  const Json& config = entry.at("config");
  const StageSetup setup = make_setup(config, site_data);
  const ProbeOptions options = options_of<ProbeOptions>(config, "probe");
  const int64_t classes = setup.dataset->classes();
  const Classifier model(config, classes, setup.context);
  for (const std::string& note :
       load_weights(model.parameters(), TensorFile::open_weights(weights), kFreshInClassifier, kUnusedByClassifier))
    session.message(note);
  const std::vector<size_t> blocks = chosen_blocks(options, model.encoder().layers());
  session.folder().open_journal(0);

  std::vector<int64_t> subset;
  if (options.limit_labels) subset = balanced_subset(*setup.dataset, Split::train, *options.limit_labels, setup.seed);
  const Split chosen_on = setup.dataset->has(Split::val) ? Split::val : Split::test;
  const Features train = read_features(session, model, setup, Split::train, subset);
  const Features val = read_features(session, model, setup, chosen_on, {});
  const Features test = setup.dataset->has(Split::test) && chosen_on != Split::test
                            ? read_features(session, model, setup, Split::test, {})
                            : val;
  if (interrupt_requested()) return {.ending = Ending::interrupted};

  StageResult result;
  Tensor val_logits, test_logits;
  if (options.name == "linear") {
    std::vector<Candidate> candidates;
    {
      const at::AutoGradMode with_grad(true);
      candidates = train_linear(session, options, setup.seed, classes, train, blocks);
    }
    if (interrupt_requested()) return {.ending = Ending::interrupted};
    const Candidate* best = nullptr;
    for (Candidate& c : candidates) {
      c.val_top1 = accuracy(c.logits(val), val.labels);
      result.summary["candidates"].push_back({{"block", c.block + 1}, {"lr", c.lr}, {"val_top1", c.val_top1}});
      if (best == nullptr || c.val_top1 > best->val_top1) best = &c;
    }
    result.summary["block"] = best->block + 1;
    result.summary["lr"] = best->lr;
    val_logits = best->logits(val);
    test_logits = best->logits(test);
  } else {
    const size_t block = blocks.front();
    result.summary["block"] = block + 1;
    val_logits = knn_votes(options, classes, train.blocks[block], train.labels, val.blocks[block]).log();
    test_logits = knn_votes(options, classes, train.blocks[block], train.labels, test.blocks[block]).log();
  }
  if (chosen_on == Split::val) {
    result.summary["val_top1"] = accuracy(val_logits, val.labels);
    result.summary["val_images"] = val.labels.size(0);
  }
  if (setup.dataset->has(Split::test)) {
    Evaluation evaluation;
    Batch batch;
    for (int64_t i = 0; i < test.labels.size(0); ++i) {
      batch.labels.push_back(test.labels.data_ptr<int64_t>()[i]);
      batch.indices.push_back(i);
    }
    evaluation.add(batch, test_logits);
    evaluation.save(session.folder().file("eval.safetensors"));
    result.summary.update(
        {{"test_top1", evaluation.top1()}, {"test_top5", evaluation.top5()}, {"test_images", evaluation.images()}});
  }
  result.summary.update(
      {{"epochs", options.name == "linear" ? options.epochs : 0}, {"images_seen", train.labels.size(0)}});
  Json line = {{"step", 0}, {"epoch", 0}, {"seconds", 0}};
  for (const char* key : {"val_top1", "test_top1"})
    if (result.summary.contains(key))
      line[std::string(key).replace(std::string(key).find('_'), 1, ".")] = result.summary[key];
  session.folder().journal().append(line);
  return result;
}

}  // namespace simmim
