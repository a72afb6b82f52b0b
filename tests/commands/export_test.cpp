// export and import as the engine does them, on the official checkpoints.
#include <algorithm>
#include <map>

#include "commands/commands.h"
#include "config/resolve.h"
#include "model/simmim.h"
#include "temporary.h"
#include "train/stages.h"
#include "weights/tensor_file.h"

namespace simmim {
namespace {

class Export : public testing::Test {
 protected:
  Json run(const fs::path& from, const std::string& format, const std::string& output, Json config = Json::object()) {
    return export_command({{"from", from.string()},
                           {"format", format},
                           {"output", (folder_ / output).string()},
                           {"layers", {{{"name", "command line"}, {"config", std::move(config)}}}},
                           {"out", (folder_ / "results").string()}},
                          {});
  }
  Temporary folder_;
};

const char* const kCheckpoints[] = {"vit_pretrain.pth", "vit_finetune.pth", "swin_pretrain.pth", "swin_p2_pretrain.pth",
                                    "swin_finetune.pth"};

bool is_buffer(const std::string& name) {
  return name.ends_with("relative_position_index") || name.ends_with("attn_mask");
}

// Whether `got` holds exactly the tensors of `wanted`, to the bit; those that begin with one of `without` are left out.
void expect_same(const TensorFile& got, const TensorFile& wanted, const std::vector<std::string>& without,
                 const std::string& what) {
  size_t compared = 0;
  for (const auto& [name, tensor] : wanted.tensors()) {
    if (is_buffer(name) || std::any_of(without.begin(), without.end(), [&, &n = name](const std::string& beginning) {
          return n.starts_with(beginning);
        }))
      continue;
    const TensorView* found = got.find(name);
    ASSERT_NE(found, nullptr) << what << " " << name;
    EXPECT_TRUE(found->dtype == tensor.dtype && found->shape == tensor.shape && found->bytes == tensor.bytes)
        << what << " " << name;
    ++compared;
  }
  EXPECT_EQ(got.tensors().size(), compared) << what;
}

TEST_F(Export, ImportedAgainHasTheSameBits) {
  struct Case {
    std::string format, output;
    std::vector<std::string> checkpoints, without;
  };
  const std::vector<std::string> features = {"decoder.", "encoder.mask_token"};
  const Case cases[] = {
      {"safetensors", "there.safetensors", {kCheckpoints, kCheckpoints + 5}, {}},
      {"simmim", "there.safetensors", {kCheckpoints, kCheckpoints + 5}, {}},
      {"simmim", "there.pth", {kCheckpoints, kCheckpoints + 5}, {}},
      {"timm", "there.safetensors", {kCheckpoints, kCheckpoints + 5}, features},
      {"hf", "folder", {"vit_pretrain.pth"}, {"decoder."}},
      {"hf", "there.safetensors", {"vit_finetune.pth", "swin_p2_pretrain.pth"}, {}},
  };
  for (const Case& c : cases)
    for (const std::string& checkpoint : c.checkpoints) {
      const Json answer = run(golden(checkpoint), c.format, c.output);
      run(folder_ / c.output, "safetensors", "back.safetensors");
      const TensorFile back = TensorFile::open(folder_ / "back.safetensors");
      expect_same(back, TensorFile::open(golden(checkpoint)), c.without, c.format + " " + checkpoint);
      EXPECT_EQ(back.metadata().at("kind"), answer["kind"]);
    }
}

// What official strict loading asks for: every name and shape of the official file, buffers among them.
TEST_F(Export, UnderOfficialNamesHasExactlyTheTensorsOfTheOfficialFile) {
  for (const char* checkpoint : kCheckpoints)
    for (const char* output : {"official.pth", "official.safetensors"}) {
      run(golden(checkpoint), "simmim", output);
      const TensorFile got = TensorFile::open(folder_ / output), wanted = TensorFile::open(golden(checkpoint));
      EXPECT_EQ(got.tensors().size(), wanted.tensors().size()) << checkpoint;
      for (const auto& [name, tensor] : wanted.tensors()) {
        const TensorView* found = got.find(name);
        ASSERT_NE(found, nullptr) << checkpoint << " " << name;
        EXPECT_EQ(found->dtype, tensor.dtype) << name;
        EXPECT_EQ(found->shape, tensor.shape) << name;
        EXPECT_EQ(found->bytes, tensor.bytes) << name;
      }
    }
}

// The numbers of a classifier in timm's names and without any metadata: everything follows from names and shapes.
TEST_F(Export, OfFilesWithoutMetadataFindsTheArchitectureInTheShapes) {
  for (const std::string checkpoint : {"vit_finetune.pth", "swin_finetune.pth", "vit_pretrain.pth"}) {
    run(golden(checkpoint), "timm", "timm.safetensors");
    const TensorFile timm = TensorFile::open(folder_ / "timm.safetensors");
    write_safetensors(folder_ / "bare.safetensors", timm.tensors());
    const Json config =
        parse_json(run(folder_ / "bare.safetensors", "timm", "again.safetensors")["model_config"].dump(), "");
    EXPECT_EQ(config, parse_json(timm.metadata().at("model_config"), "")) << checkpoint;
    expect_same(TensorFile::open(folder_ / "again.safetensors"), timm, {}, checkpoint);
  }
}

// other_names.json: what timm and transformers call and shape the tensors of these very sizes
// (scripts/golden/weights.py).
TEST_F(Export, OfSwinV2HasTheNamesAndShapesOfTimmAndTransformers) {
  const Json sizes = {{"encoder.name", "swinv2"},
                      {"encoder.patch", 2},
                      {"encoder.dim", 16},
                      {"encoder.depths", {2, 2, 2, 1}},
                      {"encoder.heads", {1, 2, 4, 8}},
                      {"encoder.window", 8},
                      {"encoder.pretrained_window", {4, 4, 4, 4}},
                      {"data.image_size", 64},
                      {"mask.patch", 16}};
  const Json config = model_config({.layers = {{"test", sizes}}}, "pretrain");
  const SimMim model(config, {});
  save_weights(folder_ / "ours.safetensors", model.parameters(), describe_weights(config));
  const Json other = read_json_file(fs::path(SIMMIM_SOURCE_DIR) / "tests/weights/files/other_names.json");
  for (const auto& [format, file] :
       std::map<std::string, std::string>{{"timm", "timm.safetensors"}, {"hf", "folder/model.safetensors"}}) {
    run(folder_ / "ours.safetensors", format, format == "hf" ? "folder" : file);
    const TensorFile written = TensorFile::open(folder_ / file);
    std::map<std::string, std::vector<int64_t>> shapes;
    for (const auto& [name, tensor] : written.tensors()) shapes[name] = tensor.shape;
    EXPECT_EQ(shapes, (other.at(format + " swinv2_pretrain").get<std::map<std::string, std::vector<int64_t>>>()))
        << format;
  }
}

// Whose tensors show neither window nor image size: what says them is the configuration, or whoever imports.
class ExportOfSwinV2 : public Export {
 protected:
  ExportOfSwinV2() {
    const Json config = model_config({.layers = {{"test", sizes()}, {"more", {{"encoder.dim", 8}}}}}, "pretrain");
    const SimMim model(config, {});
    save_weights(ours_, model.parameters(), describe_weights(config));
  }
  static Json sizes() {
    return {{"encoder.name", "swinv2"}, {"encoder.patch", 2},
            {"encoder.depths", {2, 1}}, {"encoder.heads", {1, 2}},
            {"encoder.window", 8},      {"data.image_size", 32},
            {"mask.patch", 8},          {"encoder.pretrained_window", {4, 4}}};
  }
  // The tensors of `file` alone, in a folder with a config.json.
  fs::path beside_config(const fs::path& file, const Json& config) {
    const fs::path folder = folder_ / "theirs";
    make_folder(folder);
    const TensorFile tensors = TensorFile::open(file);
    write_safetensors(folder / "model.safetensors", tensors.tensors());
    write_file_atomically(folder / "config.json", config.dump());
    return folder;
  }
  fs::path ours_ = folder_ / "ours.safetensors";
};

TEST_F(ExportOfSwinV2, ComesBackFromTransformersWithItsSizes) {
  const Json answer = run(ours_, "hf", "folder");
  EXPECT_EQ(answer["model"], "Swinv2ForMaskedImageModeling");
  EXPECT_EQ(answer["left_out"], Json::array());
  EXPECT_EQ(answer["model_config"]["pretrained_window_sizes"], (Json{4, 4}));
  const fs::path bare = beside_config(folder_ / "folder" / "model.safetensors", answer["model_config"]);
  const Json model = inspect_command({{"file", bare.string()}}, {})["model"];
  EXPECT_EQ(model["window"], 8);
  EXPECT_EQ(model["image_size"], 32);
  EXPECT_EQ(model["pretrained_window"], (Json{4, 4}));
  run(bare, "safetensors", "back.safetensors");
  expect_same(TensorFile::open(folder_ / "back.safetensors"), TensorFile::open(ours_), {}, "hf");
}

TEST_F(ExportOfSwinV2, ComesBackFromTimmWithTheSizesOfItsModelsNameOrOnesThatAreGiven) {
  EXPECT_EQ(run(ours_, "timm", "timm.safetensors")["model_config"]["pretrained_window_sizes"], (Json{4, 4}));
  const std::vector<std::string> features = {"decoder.", "encoder.mask_token"};
  const fs::path named =
      beside_config(folder_ / "timm.safetensors", {{"architecture", "swinv2_small_window4to8_16to32"}});
  const Json model = inspect_command({{"file", named.string()}}, {})["model"];
  EXPECT_EQ(model["window"], 8);
  EXPECT_EQ(model["image_size"], 32);
  EXPECT_EQ(model["pretrained_window"], (Json{4, 4}));
  run(named, "safetensors", "back.safetensors");
  expect_same(TensorFile::open(folder_ / "back.safetensors"), TensorFile::open(ours_), features, "timm, named");

  const fs::path bare = beside_config(folder_ / "timm.safetensors", Json::object()) / "model.safetensors";
  EXPECT_EQ(error_of(Code::usage, [&] { run(bare, "safetensors", "back.safetensors"); }),
            "--from " + bare.string() +
                ": this file of a Swin V2 does not say its window and image size; give encoder.window and "
                "data.image_size (8 and 256 for one called window8_256)");
  run(bare, "safetensors", "back.safetensors", {{"encoder.window", 8}, {"data.image_size", 32}});
  expect_same(TensorFile::open(folder_ / "back.safetensors"), TensorFile::open(ours_), features, "timm, sizes given");
}

TEST_F(Export, ForTransformersWritesTheConfigurationBesideTheWeights) {
  const Json answer = run(golden("vit_finetune.pth"), "hf", "model", {{"data.image_size", 96}});
  const Json config = read_json_file(folder_ / "model" / "config.json");
  EXPECT_EQ(answer["model"], "BeitForImageClassification");
  EXPECT_EQ(config["architectures"], (Json{"BeitForImageClassification"}));
  EXPECT_EQ(config["image_size"], 96);
  EXPECT_EQ(config["id2label"].size(), 5u);
  const TensorFile file = TensorFile::open(folder_ / "model" / "model.safetensors");
  EXPECT_EQ(file.metadata().at("format"), "pt");
  // The tables were interpolated to the new size, in the number type of the rest.
  const TensorView* table =
      file.find("beit.encoder.layer.1.attention.attention.relative_position_bias.relative_position_bias_table");
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table->shape, (std::vector<int64_t>{124, 2}));
  EXPECT_EQ(table->dtype, DType::f32);
  EXPECT_EQ(inspect_command({{"file", (folder_ / "model").string()}}, {})["model"]["image_size"], 96);
}

TEST_F(Export, SaysWhatHasNoPlaceThere) {
  EXPECT_EQ(run(golden("vit_pretrain.pth"), "hf", "a")["left_out"], (Json{"decoder.0.weight", "decoder.0.bias"}));
  EXPECT_EQ(run(golden("swin_p2_pretrain.pth"), "hf", "b")["left_out"], Json::array());
  EXPECT_EQ(
      error_of(Code::usage, [&] { run(golden("swin_pretrain.pth"), "hf", "c"); }),
      "--format hf: the last stage has a grid of 2 x 2 tokens, less than the window of 4; the Swin of transformers "
      "has one window for all stages; use --format timm");
  EXPECT_FALSE(fs::exists(folder_ / "c"));
}

TEST_F(Export, OfAPartialFileNamesWhatIsMissingAndOfAnotherShape) {
  const TensorFile whole = TensorFile::open(golden("swin_finetune.pth"));
  NamedViews tensors;
  for (auto [name, tensor] : whole.tensors()) {
    if (name.find("layers.2.blocks.1.mlp") != std::string::npos) continue;
    if (name == "layers.1.blocks.0.norm1.weight") tensor = {DType::f32, {8}, tensor.bytes.substr(0, 32)};
    tensors.emplace_back(name, tensor);
  }
  tensors.emplace_back("surprise", tensors[0].second);
  write_safetensors(folder_ / "part.safetensors", tensors);
  EXPECT_EQ(error_of(Code::data, [&] { run(folder_ / "part.safetensors", "timm", "t.safetensors"); }),
            (folder_ / "part.safetensors").string() +
                ": these weights do not fit the model: 4 missing (layers.2.blocks.1.mlp.fc1.weight, "
                "layers.2.blocks.1.mlp.fc1.bias, layers.2.blocks.1.mlp.fc2.weight and 1 more); 1 of another shape "
                "(layers.1.blocks.0.norm1.weight is [8], not [16]); 1 unexpected (surprise); set the encoder's options "
                "to those of the checkpoint");
  // Too little even to tell the architecture.
  const auto without = [&](const std::string& part) {
    NamedViews kept;
    for (const auto& entry : whole.tensors())
      if (entry.first.find(part) == std::string::npos) kept.push_back(entry);
    write_safetensors(folder_ / "part.safetensors", kept);
    return error_of(Code::data, [&] { run(folder_ / "part.safetensors", "timm", "t.safetensors"); });
  };
  EXPECT_NE(without("patch_embed").find("no patch_embed.proj.weight"), std::string::npos);
  EXPECT_NE(without("layers.0.blocks.0.mlp").find("layers.0.blocks.0.mlp.fc1.weight is missing"), std::string::npos);
  EXPECT_NE(without("blocks.0.attn.relative_position_bias_table").find("relative_position_bias_table is missing"),
            std::string::npos);
}

// Every seventh tensor with no side, or one that is 0: a sentence, never a crash.
TEST_F(Export, OfAFileWithAnOddShapeIsRefusedInOneSentence) {
  for (const char* checkpoint : {"vit_finetune.pth", "swin_p2_pretrain.pth"}) {
    const TensorFile whole = TensorFile::open(golden(checkpoint));
    for (size_t odd = 0; odd < whole.tensors().size(); odd += 7)
      for (const auto& shape : {std::vector<int64_t>{}, {1, 0}, {0, 3, 4, 4}}) {
        NamedViews tensors = whole.tensors();
        if (is_buffer(tensors[odd].first)) continue;
        TensorView& tensor = tensors[odd].second;
        tensor.shape = shape;
        tensor.bytes = tensor.bytes.substr(0, static_cast<size_t>(tensor.count()) * size_of(tensor.dtype));
        write_safetensors(folder_ / "odd.safetensors", tensors);
        EXPECT_NE(error_of(Code::data, [&] { run(folder_ / "odd.safetensors", "safetensors", "t.safetensors"); }), "")
            << checkpoint << " " << tensors[odd].first << " " << shape_text(shape);
      }
  }
}

TEST(Inspect, SaysWhoseNamesAndWhichModel) {
  const Json vit = inspect_command({{"file", golden("vit_pretrain.pth").string()}}, {});
  EXPECT_EQ(vit["names"], "simmim");
  EXPECT_EQ(vit["model"]["patch"], 16);
  EXPECT_EQ(vit["model"]["image_size"], 64);
  const Json tables = inspect_command({{"file", golden("remap_tables.safetensors").string()}}, {});
  EXPECT_EQ(tables["names"], "unknown");
  EXPECT_NE(tables["model"].get<std::string>().find("no patch_embed.proj.weight"), std::string::npos);
}

}  // namespace
}  // namespace simmim
