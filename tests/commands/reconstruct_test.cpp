// reconstruct on the official checkpoints: the loss of each image is the official one.
#include <algorithm>

#include "commands/commands.h"
#include "core/json.h"
#include "data/image.h"
#include "temporary.h"

namespace simmim {
namespace {

class Reconstruct : public testing::Test {
 protected:
  Json run(const std::string& checkpoint, const std::vector<std::string>& images, const std::string& mask,
           Json config = Json::object()) {
    Json request = {{"from", golden(checkpoint).string()},
                    {"images", images},
                    {"output", (folder_ / "sheet.png").string()},
                    {"layers", {{{"name", "command line"}, {"config", std::move(config)}}}},
                    {"out", (folder_ / "results").string()}};
    if (!mask.empty()) request["mask"] = golden(mask).string();
    return reconstruct_command(request, {});
  }
  Temporary folder_;
};

TEST_F(Reconstruct, PrintsTheOfficialLossOfEachImageOfTheOfficialCheckpoints) {
  const Json expected = read_json_file(golden("expected.json"));
  int compared = 0;
  for (const auto& [encoder, wanted] : expected["pretrain_forward"].items()) {
    if (!wanted.is_object()) continue;
    for (const auto& [image, numbers] : wanted["images"].items()) {
      const Json answer = run(wanted["checkpoint"], {golden(image).string()}, numbers["mask"]);
      const double loss = answer["images"][0]["loss"], truth = numbers["f64"]["loss"];
      EXPECT_LE(std::abs(loss - truth), 1e-6 * truth) << encoder << " " << image;
      ++compared;
    }
  }
  EXPECT_GE(compared, 6);
}

// 4 x 4 cells of which only a checkpoint's own mask patch of 32, 2 x 2 cells, would make no sense.
TEST_F(Reconstruct, TakesTheMaskPatchFromTheMaskThatIsDrawn) {
  const std::vector<std::string> image = {golden("images/img_0.png").string()};
  const double fine = run("vit_pretrain.pth", image, "masks/vit_0.png")["images"][0]["loss"];
  EXPECT_EQ(run("vit_pretrain.pth", image, "masks/vit_0.png", {{"mask.patch", 16}})["images"][0]["loss"], fine);
  EXPECT_NE(error_of(Code::data,
                     [&] {
                       run("vit_pretrain.pth", image, "masks/vit_0.png", {{"mask.patch", 32}});
                     })
                .find("is partly white"),
            std::string::npos);
}

TEST_F(Reconstruct, HidesAsTheOptionsSay) {
  const std::vector<std::string> folder = {golden("images").string()};
  const Json coarse = run("swin_pretrain.pth", folder, "", {{"mask.patch", 32}, {"mask.ratio", 0.25}});
  EXPECT_EQ(coarse["images"].size(), 4u);
  for (const Json& image : coarse["images"]) EXPECT_EQ(image["ratio"], 0.25);
  EXPECT_EQ(run("swin_pretrain.pth", folder, "", {{"mask.patch", 4}, {"mask.ratio", 0.5}})["images"][0]["ratio"], 0.5);
  const Image sheet = decode_image_file(folder_ / "sheet.png");
  EXPECT_GT(sheet.w, 4 * 64);
  EXPECT_NE(error_of(Code::usage, [&] { run("swin_finetune.pth", folder, ""); }).find("has no prediction head"),
            std::string::npos);
}

}  // namespace
}  // namespace simmim
