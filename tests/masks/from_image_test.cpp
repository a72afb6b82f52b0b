#include "masks/from_image.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace simmim {
namespace {

std::string refusal(std::string_view grey, int64_t h, int64_t w) {
  try {
    mask_from_image(grey, h, w, {2, 2}, "m.png");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::data);
    return error.what();
  }
  return "no error";
}

TEST(MaskFromImage, TakesWhiteAsMasked) {
  EXPECT_EQ(mask_from_image("\xff\x80\x7f\x01", 2, 2, {2, 2}, "m.png"), (Mask{1, 1, 0, 0}));
}

TEST(MaskFromImage, TakesALargerImageWhoseCellsAreOfOneColour) {
  const std::string grey = {'\xff', '\xff', 0, 0, 0, 0, '\xff', '\xff'};  // two rows of four: cells of 1 x 2
  EXPECT_EQ(mask_from_image(grey, 2, 4, {2, 2}, "m.png"), (Mask{1, 0, 0, 1}));
}

TEST(MaskFromImage, RefusesAnotherSizeAndCellsThatArePartlyWhite) {
  EXPECT_EQ(refusal(std::string(9, '\0'), 3, 3),
            "m.png: a mask image of 3 x 3 pixels (width x height); allowed: 2 x 2, one pixel a cell of the mask grid, "
            "or a whole multiple");
  std::string grey(16, '\0');
  grey[5] = '\xff';
  EXPECT_NE(refusal(grey, 4, 4).find("the cell in row 0, column 0 of the mask is partly white"), std::string::npos);
  EXPECT_NE(refusal("\xff", 1, 1).find("allowed: 2 x 2"), std::string::npos);
}

}  // namespace
}  // namespace simmim
