// The files in tests/weights/files were written by torch (make_files.py), those in tests/golden by the official code.
#include "weights/pth.h"

#include <bit>

#include "core/json.h"
#include "temporary.h"
#include "weights/tensor_file.h"

namespace simmim {
namespace {

using namespace std::string_literals;

fs::path odd_file(const std::string& name) { return fs::path(SIMMIM_SOURCE_DIR) / "tests/weights/files" / name; }

void expect_state_dict(const TensorFile& file) {
  const auto values = [&](const std::string& name) {
    const TensorView* tensor = file.find(name);
    return tensor != nullptr ? to_doubles(*tensor) : std::vector<double>{-12345};
  };
  std::vector<double> plain, transposed;
  for (int i = 0; i < 24; ++i) plain.push_back(i / 8.0), transposed.push_back(6 * (i % 4) + i / 4);
  EXPECT_EQ(values("plain"), plain);
  EXPECT_EQ(file.find("plain")->shape, (std::vector<int64_t>{2, 3, 4}));
  EXPECT_EQ(values("transposed"), transposed);
  EXPECT_EQ(file.find("transposed")->shape, (std::vector<int64_t>{6, 4}));
  EXPECT_EQ(values("slice"), (std::vector<double>{8, 9, 10, 14, 15, 16}));
  EXPECT_EQ(values("expanded"), (std::vector<double>{1.5, 1.5, 1.5, 1.5, 1.5, -2, -2, -2, -2, -2}));
  EXPECT_EQ(values("half"), (std::vector<double>{1, -0.5, 65504, 0x1p-24}));
  EXPECT_EQ(file.find("half")->dtype, DType::f16);
  EXPECT_EQ(values("bf16"),
            (std::vector<double>{1, -0.5, static_cast<double>(std::bit_cast<float>(0x7F620000u)), 0.10009765625}));
  EXPECT_EQ(values("double"), std::vector<double>{0.1});
  EXPECT_TRUE(file.find("double")->shape.empty());
  EXPECT_TRUE(values("empty").empty());
  EXPECT_EQ(file.find("empty")->shape, (std::vector<int64_t>{0, 3}));
  EXPECT_EQ(values("parameter"), (std::vector<double>{3, 4}));
  EXPECT_EQ(values("long"), (std::vector<double>{0x1p40, -1}));
  for (const char* name : {"int", "short", "char"}) EXPECT_EQ(values(name), (std::vector<double>{1, -2})) << name;
  EXPECT_EQ(values("byte"), (std::vector<double>{1, 254}));
  EXPECT_EQ(values("bool"), (std::vector<double>{1, 0}));
  EXPECT_EQ(file.tensors().size(), 15u);
  EXPECT_EQ(file.tensors().front().first, "plain");
  for (const auto& [name, tensor] : file.tensors())
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.bytes.data()) % size_of(tensor.dtype), 0u) << name;
}

void expect_metadata(const TensorFile& file) {
  const Metadata& metadata = file.metadata();
  EXPECT_EQ(metadata.at("epoch"), "3");
  EXPECT_EQ(metadata.at("best"), "62.5");
  EXPECT_EQ(metadata.at("amp"), "true");
  EXPECT_EQ(metadata.at("note"), "Zürich");
  EXPECT_EQ(parse_json(metadata.at("args"), "args"),
            parse_json(R"({"arch":"vit","lr":0.5,"betas":[0.9,0.95],"resume":null})", ""));
  for (const char* opaque : {"numpy", "big", "set", "size", "dtype", "optimizer", "itself"})
    EXPECT_FALSE(metadata.contains(opaque)) << opaque;
}

TEST(Pth, ReadsEveryKindOfTensorThatTorchSaves) {
  const TensorFile file = TensorFile::open(odd_file("odd.pth"));
  EXPECT_EQ(file.format(), "pth");
  expect_state_dict(file);
  expect_metadata(file);
}

TEST(Pth, KeepsTheMetadataThatIsWrittenBesideTheModel) {
  const Temporary folder;
  const std::vector<float> values(6);
  const NamedViews tensors = {{"w", {DType::f32, {2, 3}, {reinterpret_cast<const char*>(values.data()), 24}}}};
  const Metadata metadata = {{"format", "simmim"}, {"config", R"({"data":{}})"}};
  write_pth(folder / "w.pth", tensors, metadata);
  const TensorFile file = TensorFile::open(folder / "w.pth");
  EXPECT_EQ(file.metadata(), metadata);
  EXPECT_EQ(file.tensors().size(), 1u);
}

TEST(Pth, ReadsTheFormatBeforeTorch16) {
  const TensorFile file = TensorFile::open(odd_file("odd_legacy.pth"));
  EXPECT_EQ(file.format(), "legacy pth");
  expect_state_dict(file);
  expect_metadata(file);
}

TEST(Pth, ReadsABareStateDictAndPickleProtocolFour) {
  expect_state_dict(TensorFile::open(odd_file("bare_protocol4.pth")));
}

TEST(Pth, GivesNestedDictionariesDottedNamesAndLeavesTheOptimizerOut) {
  const TensorFile file = TensorFile::open(odd_file("nested.pth"));
  ASSERT_EQ(file.tensors().size(), 1u);
  EXPECT_EQ(file.tensors()[0].first, "net.a.w");
}

TEST(Pth, OfAWholePickledModuleGivesItsStateDict) {
  const TensorFile file = TensorFile::open(odd_file("module.pth"));
  ASSERT_EQ(file.tensors().size(), 2u);
  EXPECT_EQ(file.find("weight")->shape, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(file.find("bias")->shape, (std::vector<int64_t>{2}));
  EXPECT_EQ(file.metadata().at("in_features"), "2");
}

TEST(Pth, OfAModuleOfUnknownClassesNamesWhatLiesInItsModules) {
  for (const char* name : {"encoder.pkl", "encoder_legacy.pkl"}) {
    const TensorFile file = TensorFile::open(fs::path(SIMMIM_SOURCE_DIR) / "tests/targets/files" / name);
    EXPECT_EQ(file.tensors().front().first, "blocks.input.w");
    EXPECT_EQ(file.find("blocks.group_1.block_1.res_path.conv_4.w")->shape, (std::vector<int64_t>{4, 1, 1, 1}));
    EXPECT_EQ(file.find("blocks.group_2.block_1.id_path.b")->shape, std::vector<int64_t>{8});
    EXPECT_EQ(file.tensors().back().first, "blocks.output.conv.b");
    EXPECT_EQ(file.metadata().at("n_hid"), "4");
  }
}

TEST(Pth, ReadsTheOfficialPretrainingFiles) {
  const TensorFile vit = TensorFile::open(golden("vit_pretrain.pth"));
  EXPECT_EQ(vit.find("encoder.rel_pos_bias.relative_position_bias_table")->shape, (std::vector<int64_t>{52, 2}));
  EXPECT_EQ(vit.find("decoder.0.weight")->shape, (std::vector<int64_t>{768, 32, 1, 1}));
  EXPECT_EQ(vit.find("encoder.rel_pos_bias.relative_position_index")->dtype, DType::i64);
  const Json config = parse_json(vit.metadata().at("config"), "config");
  EXPECT_EQ(config["MODEL"]["TYPE"], "vit");
  EXPECT_EQ(config["MODEL"]["VIT"]["EMBED_DIM"], 32);
  EXPECT_TRUE(vit.metadata().contains("epoch"));
  const TensorFile swin = TensorFile::open(golden("swin_pretrain.pth"));
  EXPECT_EQ(swin.find("encoder.layers.3.blocks.1.attn.qkv.weight")->shape, (std::vector<int64_t>{192, 64}));
}

TEST(Pth, ReadsTheOfficialClassifiers) {
  for (const char* name : {"vit_finetune.pth", "swin_finetune.pth"}) {
    const TensorFile file = TensorFile::open(golden(name));
    EXPECT_EQ(file.find("head.weight")->shape[0], 5);
    EXPECT_EQ(file.metadata().at("epoch"), "29");
    EXPECT_EQ(file.metadata().at("max_accuracy"), "62.5");
  }
}

std::string pth_refusal(const std::string& bytes) {
  const Temporary folder;
  const fs::path path = folder.write("c.pth", bytes);
  const std::string message = error_of(Code::data, [&] { TensorFile::open(path); });
  EXPECT_EQ(message.find(path.string() + ": "), 0u) << message;
  return message;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST(Pth, ThatIsCutOffSaysSo) {
  const std::string zip = read_file(golden("vit_pretrain.pth")), legacy = read_file(odd_file("odd_legacy.pth"));
  EXPECT_NE(pth_refusal(zip.substr(0, zip.size() / 2)).find("cut off or damaged"), std::string::npos);
  EXPECT_NE(pth_refusal(zip.substr(0, zip.size() - 1)).find("cut off or damaged"), std::string::npos);
  EXPECT_NE(pth_refusal(legacy.substr(0, legacy.size() - 1)).find("cut off"), std::string::npos);
  EXPECT_NE(pth_refusal(legacy.substr(0, 300)).find("it ends in the middle"), std::string::npos);
}

TEST(Pth, ThatIsAnotherArchiveSaysWhatIsMissing) {
  EXPECT_NE(
      pth_refusal(replaced(replaced(read_file(odd_file("nested.pth")), "data.pkl", "date.pkl"), "data.pkl", "date.pkl"))
          .find("it has no data.pkl"),
      std::string::npos);
}

// Thirty dictionaries that each hold the next one twice spell 2^30 names in 400 bytes.
TEST(Pth, ThatSpellsEndlessNamesIsRefused) {
  const std::string legacy = read_file(odd_file("odd_legacy.pth"));
  const std::string header = legacy.substr(0, legacy.find("\x80\x02}", legacy.find("little_endian")));
  std::string pickle = "\x80\x02}q\x01(U\x01xK\x01u0";
  for (char depth = 2; depth < 32; ++depth) {
    const std::string inner = {'h', static_cast<char>(depth - 1)};
    pickle.append("}(U\x01").append("a").append(inner).append("U\x01").append("b").append(inner).append("uq") += depth;
    pickle += '0';
  }
  pickle += "h\x1f.";
  EXPECT_NE(pth_refusal(header + pickle + "\x80\x02].").find("its names are too many or too long"), std::string::npos);
}

// A pickle that would run a command in Python is data here.
TEST(Pth, NeverExecutesAnything) {
  const std::string file = read_file(odd_file("odd_legacy.pth"));
  const Temporary folder;
  const TensorFile opened =
      TensorFile::open(folder.write("c.pth", replaced(file, "cargparse\nNamespace\n", "cos\nsystem\n")));
  EXPECT_EQ(opened.tensors().size(), 15u);
}

}  // namespace
}  // namespace simmim
