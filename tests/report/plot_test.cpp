#include "report/plot.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "runs/database.h"
#include "runs/ingest.h"
#include "runs/sample_runs.h"
#include "temporary.h"

namespace simmim {
namespace {

struct PlotSweep {
  TemporaryFolder folder;
  fs::path out = folder.path, path = folder.path / "simmim.db";
  PlotSweep() {
    Json cells = Json::array();
    for (const int64_t patch : {16, 4})
      for (const double ratio : {0.4, 0.6}) {
        const std::string tag = fmt::format("{}-{}", patch, ratio * 10);
        Json config = pretrain_config(0, patch, ratio);
        config["encoder"]["patch"] = 4;
        write_run(out, {.id = "p" + tag, .config = config});
        write_run(out, {.id = "f" + tag,
                        .kind = "finetune",
                        .parent = "p" + tag,
                        .config = finetune_config(0),
                        .summary = {{"val_top1", 80 + static_cast<double>(patch)}}});
        cells.push_back(sample_cell(fmt::format("mask.patch={} mask.ratio={}", patch, ratio),
                                    {{"mask.patch", patch}, {"mask.ratio", ratio}},
                                    Json::array({sample_chain(0, "p" + tag, "f" + tag)})));
      }
    Json plan = sample_plan("demo", cells);
    plan["seeds"] = {0};
    write_plan(out, plan);
    EXPECT_EQ(ingest_changes(path, out), "");
  }
  Plot plot(const std::vector<std::string>& names, const PlotOptions& options = {}) const {
    return make_plot(open_for_reading(path, out), out, names, options);
  }
};

TEST(Plot, OfASweepIsAHeatMapInOrderOfItsNumbers) {
  const PlotSweep sweep;
  const Plot plot = sweep.plot({"demo"});
  EXPECT_EQ(plot.rows, (std::vector<std::string>{"4", "16"}));
  EXPECT_EQ(plot.columns, (std::vector<std::string>{"0.4", "0.6"}));
  ASSERT_EQ(plot.cells.size(), 4u);
  EXPECT_EQ(plot.cells[0].row, 1u);
  EXPECT_EQ(plot.cells[0].value, 96);
}

TEST(Plot, OfASweepAgainstAnAxisHasALineAValueOfTheOther) {
  const PlotSweep sweep;
  const Plot plot = sweep.plot({"demo"}, {.x = "mask.patch", .by = "mask.ratio"});
  ASSERT_EQ(plot.curves.size(), 2u);
  EXPECT_EQ(plot.curves[0].label, "mask.ratio 0.4");
  EXPECT_EQ(plot.ticks, (std::vector<std::string>{"4", "16"}));
  EXPECT_EQ(plot.curves[0].points[0].y, 84);
}

TEST(Plot, OfASweepAgainstAvgDistIsThePapersFigure) {
  const PlotSweep sweep;
  const Plot plot = sweep.plot({"demo"}, {.x = "avg_dist"});
  ASSERT_EQ(plot.curves.size(), 2u);  // a line a mask patch
  EXPECT_EQ(plot.curves[0].label, "mask.patch 16");
  EXPECT_EQ(plot.curves[1].points.size(), 2u);
  EXPECT_LT(plot.curves[1].points[0].x, plot.curves[1].points[1].x);
  EXPECT_GT(plot.curves[1].points[0].x, 1);  // patch 4 at ratio 0.4 of 32 pixels
  EXPECT_LT(plot.curves[1].points[1].x, 3);
  EXPECT_GT(plot.curves[0].points[0].x, 4);
  EXPECT_EQ(plot.curves[1].points[0].name, "mask.patch=4 mask.ratio=0.4");
  EXPECT_EQ(plot.x_label, "AvgDist of the masks (pixels)");
}

TEST(Plot, OfASweepAgainstItsCostCountsTheWholeChain) {
  const PlotSweep sweep;
  const Plot hours = sweep.plot({"demo"}, {.x = "gpu_hours"}), seconds = sweep.plot({"demo"}, {.x = "seconds"});
  ASSERT_EQ(hours.curves.size(), 2u);
  EXPECT_TRUE(hours.scattered);
  EXPECT_GT(seconds.curves[0].points[0].x, 0);
  EXPECT_NEAR(hours.curves[0].points[0].x, seconds.curves[0].points[0].x / 3600, 1e-9);
  EXPECT_EQ(hours.curves[0].points[0].y, 96);
  EXPECT_FALSE(sweep.plot({"demo"}, {.x = "gpu_hours", .y = "pretrain.loss"}).scattered);  // curves over time
}

TEST(Plot, OfRunsShowsTheirCurvesAgainstStepsEpochsImagesOrHours) {
  const PlotSweep sweep;
  const std::vector<std::string> runs{"p4-4", "p16-4"};
  EXPECT_EQ(sweep.plot(runs, {.x = "step"}).curves[0].points[1].x, 2);
  EXPECT_NEAR(sweep.plot(runs).curves[0].points[1].x, 0.2, 1e-12);
  EXPECT_EQ(sweep.plot(runs, {.x = "images"}).curves[0].points[1].x, 256);
  EXPECT_NEAR(sweep.plot(runs, {.x = "gpu_hours"}).curves[0].points[1].x, 1.0 / 3600, 1e-12);
  EXPECT_EQ(sweep.plot(runs).curves[1].label, "p16-4");
  const Plot by = sweep.plot({"demo"}, {.x = "step", .y = "pretrain.loss", .by = "mask.patch"});
  ASSERT_EQ(by.curves.size(), 2u);
  EXPECT_EQ(by.curves[0].label, "mask.patch 16");
  EXPECT_EQ(by.curves[0].points[0].spread, 0);  // two runs, equal losses
}

TEST(Plot, IsDrawnAsPngSvgPdfAndCsv) {
  const PlotSweep sweep;
  const Plot heat = sweep.plot({"demo"}), lines = sweep.plot({"p4-4", "p16-4"});
  EXPECT_EQ(render_plot(lines, "csv").substr(0, 27), "curve,epoch,loss,std\np4-4,0");
  EXPECT_NE(render_plot(heat, "csv").find("16,0.4,96,96.00"), std::string::npos);
  if (std::system("gnuplot --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "gnuplot is not installed";
  for (const Plot* plot : {&heat, &lines}) {
    EXPECT_EQ(render_plot(*plot, "png").substr(1, 3), "PNG");
    EXPECT_NE(render_plot(*plot, "svg").find("<svg"), std::string::npos);
    EXPECT_EQ(render_plot(*plot, "pdf").substr(0, 5), "%PDF-");
  }
}

TEST(Plot, DrawsTextsWithQuotesAndBackslashesAsTheyStand) {
  if (std::system("gnuplot --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "gnuplot is not installed";
  const Plot plot{.title = "a \"b\" \\n {c} `d` _e^f",
                  .x_label = "x",
                  .y_label = "%s",
                  .curves = {{"l\"1\"", {{0, 1, 0}, {1, 2, 0}}}}};
  EXPECT_NE(render_plot(plot, "svg").find("{c} `d` _e^f"), std::string::npos);
}

TEST(Plot, HasTheQuestionOfTheSweepAsItsCaption) {
  PlotSweep sweep;
  Json plan = Json::parse(read_file(sweep.out / "sweeps/demo/plan-1.json"));
  plan["about"] = "Does it matter at 0.5? Two minutes; expected: no.";
  plan["revision"] = 2;
  ASSERT_EQ(ingest_plan(sweep.path, write_plan(sweep.out, plan)), "");
  EXPECT_EQ(sweep.plot({"demo"}).subtitle, "Does it matter at 0.5?");
}

TEST(Plot, NamesWhatItCannotDraw) {
  const PlotSweep sweep;
  EXPECT_NE(error_of(Code::usage, [&] { sweep.plot({"p4-4"}, {.y = "los"}); }).find("did you mean 'loss'"),
            std::string::npos);
  EXPECT_NE(error_of(Code::usage, [&] { sweep.plot({"p4-4"}, {.x = "mask.patch"}); })
                .find("step, epoch, images or gpu_hours"),
            std::string::npos);
  EXPECT_NE(error_of(Code::usage, [&] { sweep.plot({"nothing"}); }).find("no run"), std::string::npos);
  EXPECT_NE(error_of(Code::usage, [&] { sweep.plot({}); }).find("name a sweep or runs"), std::string::npos);
  EXPECT_NE(
      error_of(Code::usage, [&] { sweep.plot({"demo"}, {.x = "mask.patches"}); }).find("did you mean 'mask.patch'"),
      std::string::npos);
}

}  // namespace
}  // namespace simmim
