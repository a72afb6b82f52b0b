#include "train/evaluate.h"

#include "train/tensors.h"

namespace simmim {

double Evaluation::top1() const {
  int64_t right = 0;
  for (size_t i = 0; i < labels.size(); ++i) right += labels[i] == predictions[i];
  return 100 * static_cast<double>(right) / static_cast<double>(images());
}

double Evaluation::top5() const { return 100 * static_cast<double>(in_top5) / static_cast<double>(images()); }

void Evaluation::add(const Batch& batch, const Tensor& logits) {
  const Tensor host = logits.detach().to(at::kCPU).to(at::kFloat);  // (B,K)
  const Tensor truth = at::from_blob(const_cast<int64_t*>(batch.labels.data()), {batch.size()}, at::kLong);
  const Tensor log_probability = at::log_softmax(host, 1).gather(1, truth.unsqueeze(1)).squeeze(1);
  const Tensor best = host.argmax(1);
  const Tensor top = std::get<1>(host.topk(std::min<int64_t>(5, host.size(1)), 1));
  in_top5 += (top == truth.unsqueeze(1)).any(1).sum().item<int64_t>();
  loss_sum -= log_probability.to(at::kDouble).sum().item<double>();
  const Tensor probability = log_probability.exp();
  for (int64_t i = 0; i < batch.size(); ++i) {
    predictions.push_back(best.data_ptr<int64_t>()[i]);
    probabilities.push_back(probability.data_ptr<float>()[i]);
  }
  indices.insert(indices.end(), batch.indices.begin(), batch.indices.end());
  labels.insert(labels.end(), batch.labels.begin(), batch.labels.end());
}

Json Evaluation::to_json(const std::vector<std::string>& class_names) const {
  const size_t K = class_names.size();
  std::vector<std::vector<int64_t>> confusion(K, std::vector<int64_t>(K));
  for (size_t i = 0; i < labels.size(); ++i)
    ++confusion[static_cast<size_t>(labels[i])][static_cast<size_t>(predictions[i])];
  Json classes = Json::array();
  for (size_t k = 0; k < K; ++k) {
    int64_t all = 0;
    for (const int64_t n : confusion[k]) all += n;
    classes.push_back(
        {{"name", class_names[k]},
         {"images", all},
         {"top1", all > 0 ? Json(100 * static_cast<double>(confusion[k][k]) / static_cast<double>(all)) : Json()}});
  }
  return {{"images", images()}, {"top1", top1()},         {"top5", top5()},
          {"loss", loss()},     {"confusion", confusion}, {"classes", classes}};
}

void Evaluation::save(const fs::path& path) const {
  const auto whole = [](const std::vector<int64_t>& values) {
    return TensorView{DType::i64,
                      {static_cast<int64_t>(values.size())},
                      {reinterpret_cast<const char*>(values.data()), values.size() * 8}};
  };
  write_safetensors(
      path,
      {{"index", whole(indices)},
       {"label", whole(labels)},
       {"prediction", whole(predictions)},
       {"probability",
        TensorView{
            DType::f32, {images()}, {reinterpret_cast<const char*>(probabilities.data()), probabilities.size() * 4}}}});
}

Evaluation evaluate(const Classifier& model, const StageSetup& setup, Split split, int64_t batch_size) {
  const at::NoGradGuard no_grad;
  Evaluation evaluation;
  Loader loader(*setup.dataset, setup.evaluation(split, batch_size));
  while (const Batch* batch = loader.next())
    evaluation.add(*batch, model.logits(setup.normalise(batch->pixels, 0, batch->size()), StepContext{}));
  return evaluation;
}

}  // namespace simmim
