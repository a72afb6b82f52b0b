// Every kind of data set, read from tiny files in its real format.
#include <gtest/gtest.h>

#include "data/image.h"
#include "data/info.h"
#include "data/loader.h"
#include "data/pack.h"
#include "data/resize.h"
#include "data/support.h"
#include "data/tar.h"
#include "data/tar_shards.h"

namespace simmim {
namespace {

using testing_data::error_of;
using testing_data::kFolder;
using testing_data::pattern;
using testing_data::TemporaryCache;
using testing_data::TemporaryFolder;

std::string gzip(const std::string& bytes) {
  TemporaryFolder folder;
  const fs::path path = folder.path() / "x.gz";
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
  return read_file(path);
}

std::string big_endian(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

struct FashionFiles : TemporaryFolder {
  explicit FashionFiles(uint32_t train = 12) {
    for (auto [prefix, count] : {std::pair{"train", train}, {"t10k", 4u}}) {
      std::string labels = big_endian(0x801) + big_endian(count),
                  images = big_endian(0x803) + big_endian(count) + big_endian(28) + big_endian(28);
      for (uint32_t i = 0; i < count; ++i) {
        labels += static_cast<char>(i % 10);
        for (int p = 0; p < 784; ++p) images += static_cast<char>(i * 10 + p % 7);
      }
      write(std::string(prefix) + "-labels-idx1-ubyte.gz", gzip(labels));
      write(std::string(prefix) + "-images-idx3-ubyte.gz", gzip(images));
    }
  }
  DataOptions options() const { return {.root = path().string(), .holdout = 0}; }
};

TEST(FashionMnist, ReadsIdxFilesWithAndWithoutTheCache) {
  TemporaryCache cache;
  const FashionFiles files;
  DataOptions options = files.options();
  for (const bool cached : {true, false, true}) {
    options.cache = cached;
    const auto data = open_dataset(options);
    EXPECT_EQ(data->size(Split::train), 12);
    EXPECT_EQ(data->size(Split::test), 4);
    EXPECT_EQ(data->classes(), 10);
    EXPECT_EQ(data->label(Split::train, 11), 1);
    EXPECT_TRUE(data->grey());
    const Image image = data->load(Split::train, 3);
    EXPECT_EQ(image.h, 28);
    EXPECT_EQ(image.rgb.size(), 3u * 784);
    EXPECT_EQ(image.rgb[3 * 8 + 2], 30 + 8 % 7);
  }
}

TEST(FashionMnist, SaysWhatIsWrongWithItsFiles) {
  TemporaryCache cache;
  const FashionFiles files;
  const std::string images = read_file(files.path() / "train-images-idx3-ubyte.gz");
  files.write("train-images-idx3-ubyte.gz", images.substr(0, images.size() / 2));
  EXPECT_NE(error_of([&] { open_dataset(files.options()); }).second.find("truncated or corrupt"), std::string::npos);
  files.write("train-images-idx3-ubyte.gz", gzip(big_endian(0x801) + big_endian(12)));
  EXPECT_NE(error_of([&] { open_dataset(files.options()); }).second.find("starts with 0x801"), std::string::npos);
  fs::remove(files.path() / "train-labels-idx1-ubyte.gz");
  const auto [code, message] = error_of([&] { open_dataset(files.options()); });
  EXPECT_EQ(code, Code::data);
  EXPECT_NE(message.find("dataset-fashion-mnist"), std::string::npos) << message;
  EXPECT_EQ(error_of([&] { open_dataset({.root = files.path().string(), .train = "x"}); }).first, Code::usage);
}

TEST(FashionMnist, OfDebianHasSixtyThousandAndTenThousandImages) {
  if (!fs::exists("/usr/share/datasets/fashion-mnist"))
    GTEST_SKIP() << "the package dataset-fashion-mnist is not installed";
  const auto data = open_dataset({});
  EXPECT_EQ(data->size(Split::train), 54000);
  EXPECT_EQ(data->size(Split::val), 6000);
  EXPECT_EQ(data->size(Split::test), 10000);
  EXPECT_EQ(data->fingerprint(), "333e7e4c975581906024cd93dc838259");
}

// A record as CIFAR has it: labels, then planes.
std::string planar(const Image& image, bool transposed) {
  std::string out;
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t a = 0; a < image.h; ++a)
      for (int64_t b = 0; b < image.w; ++b)
        out += static_cast<char>(
            image.rgb[static_cast<size_t>(((transposed ? b : a) * image.w + (transposed ? a : b)) * 3 + c)]);
  return out;
}

TEST(Cifar10, ReadsItsBinaryRelease) {
  const TemporaryFolder folder;
  for (int i = 1; i <= 5; ++i)
    folder.write(fmt::format("cifar-10-batches-bin/data_batch_{}.bin", i),
                 std::string(1, static_cast<char>(i)) + planar(pattern(32, 32, i), false) + std::string(1, '\x09') +
                     planar(pattern(32, 32, 50), false));
  folder.write("cifar-10-batches-bin/test_batch.bin", std::string(1, '\0') + planar(pattern(32, 32, 60), false));
  DataOptions options{.name = "cifar10", .root = folder.path().string(), .holdout = 0};
  const auto data = open_dataset(options);
  EXPECT_EQ(data->size(Split::train), 10);
  EXPECT_EQ(data->label(Split::train, 4), 3);
  EXPECT_EQ(data->label(Split::train, 5), 9);
  EXPECT_EQ(data->load(Split::train, 4).rgb, pattern(32, 32, 3).rgb);
  EXPECT_EQ(data->class_names()[9], "truck");
  folder.write("cifar-10-batches-bin/data_batch_3.bin", std::string(3000, 'x'));
  EXPECT_NE(error_of([&] { open_dataset(options); }).second.find("expected a multiple of 3073"), std::string::npos);
}

TEST(Cifar100, TakesTheFineLabel) {
  const TemporaryFolder folder;
  folder.write("train.bin", std::string("\x05\x11", 2) + planar(pattern(32, 32, 1), false));
  folder.write("test.bin", std::string("\x05\x63", 2) + planar(pattern(32, 32, 2), false));
  const auto data = open_dataset({.name = "cifar100", .root = folder.path().string(), .holdout = 0});
  EXPECT_EQ(data->label(Split::train, 0), 17);
  EXPECT_EQ(data->label(Split::test, 0), 99);
  EXPECT_EQ(data->classes(), 100);
  EXPECT_EQ(data->load(Split::test, 0).rgb, pattern(32, 32, 2).rgb);
}

TEST(Stl10, ReadsColumnsFirstAndLetsTrainBeChosen) {
  const TemporaryFolder folder;
  folder.write("train_X.bin", planar(pattern(96, 96, 1), true) + planar(pattern(96, 96, 2), true));
  folder.write("train_y.bin", "\x01\x0a");
  folder.write("test_X.bin", planar(pattern(96, 96, 3), true));
  folder.write("test_y.bin", "\x02");
  folder.write("unlabeled_X.bin", planar(pattern(96, 96, 4), true));
  DataOptions options{.name = "stl10", .root = folder.path().string(), .holdout = 0};
  const auto data = open_dataset(options);
  EXPECT_EQ(data->labels(Split::train), (std::vector<int64_t>{0, 9}));
  EXPECT_EQ(data->load(Split::train, 1).rgb, pattern(96, 96, 2).rgb);
  options.train = "unlabeled";
  EXPECT_EQ(open_dataset(options)->labels(Split::train), (std::vector<int64_t>{-1}));
  options.train = "train+unlabeled";
  EXPECT_EQ(open_dataset(options)->labels(Split::train), (std::vector<int64_t>{0, 9, -1}));
  options.train = "all";
  EXPECT_EQ(error_of([&] { open_dataset(options); }).first, Code::usage);
}

std::string png(int64_t variant) { return encode_png(pattern(10, 12, variant)); }

DataOptions folder_options(const TemporaryFolder& folder) {
  return {.name = "image_folder", .root = folder.path().string(), .holdout = 0};
}

TEST(ImageFolder, TakesEachFolderAsAClassAndImageNetsValAsTheTest) {
  TemporaryCache cache;
  const TemporaryFolder folder;
  folder.write("train/cat/1.png", png(1));
  folder.write("train/cat/deep/2.png", png(2));
  folder.write("train/ant/1.PNG", png(3));
  folder.write("train/ant/notes.txt", "no image");
  folder.write("val/cat/9.png", png(4));
  const auto data = open_dataset(folder_options(folder));
  EXPECT_EQ(data->class_names(), (std::vector<std::string>{"ant", "cat"}));
  EXPECT_EQ(data->labels(Split::train), (std::vector<int64_t>{0, 1, 1}));
  EXPECT_EQ(data->item_name(Split::train, 2), "cat/deep/2.png");
  EXPECT_EQ(data->load(Split::train, 2).rgb, pattern(10, 12, 2).rgb);
  EXPECT_FALSE(data->has(Split::val));
  EXPECT_EQ(data->labels(Split::test), (std::vector<int64_t>{1}));
  folder.write("test/ant/9.png", png(5));
  const auto three = open_dataset(folder_options(folder));
  EXPECT_EQ(three->labels(Split::val), (std::vector<int64_t>{1}));
  EXPECT_EQ(three->labels(Split::test), (std::vector<int64_t>{0}));
}

TEST(ImageFolder, ReadsAFlatFolderWithoutLabels) {
  TemporaryCache cache;
  const TemporaryFolder folder;
  for (const char* name : {"420.jpg", "rgba.webp", "grey_16.png", "cmyk.jpg"})
    folder.write(name, read_file(kFolder / "images" / name));
  const auto data = open_dataset(folder_options(folder));
  EXPECT_EQ(data->size(Split::train), 4);
  EXPECT_EQ(data->classes(), 0);
  EXPECT_EQ(data->label(Split::train, 0), -1);
  EXPECT_EQ(data->load(Split::train, 3).w, 37);
}

TEST(ImageFolder, SaysWhatWasExpectedOfAnEmptyOrMixedFolder) {
  TemporaryCache cache;
  const TemporaryFolder folder;
  auto [code, message] = error_of([&] { open_dataset(folder_options(folder)); });
  EXPECT_EQ(code, Code::data);
  EXPECT_NE(message.find("holds no image; expected train/CLASS/*.jpg"), std::string::npos) << message;
  folder.write("a.gif", "x");
  EXPECT_NE(error_of([&] { open_dataset(folder_options(folder)); }).second.find("for example, a.gif"),
            std::string::npos);
  folder.write("b.png", png(0));
  folder.write("cat/b.png", png(0));
  EXPECT_NE(error_of([&] { open_dataset(folder_options(folder)); }).second.find("1 images of its own"),
            std::string::npos);
}

TEST(ImageFolder, RefusesAClassThatTrainingDoesNotHave) {
  TemporaryCache cache;
  const TemporaryFolder folder;
  folder.write("train/cat/1.png", png(1));
  folder.write("val/dog/1.png", png(1));
  EXPECT_NE(error_of([&] { open_dataset(folder_options(folder)); }).second.find("class 'dog'"), std::string::npos);
}

TEST(ImageFolder, ReadsListFiles) {
  TemporaryCache cache;
  const TemporaryFolder folder;
  for (int i = 0; i < 4; ++i) folder.write(fmt::format("img/{}.png", i), png(i));
  folder.write(
      "all.csv",
      "path,label,split\nimg/2.png,dog,train\nimg/0.png,cat,train\n\"img/1.png\",dog,val\r\nimg/3.png,cat,test\n");
  DataOptions options = folder_options(folder);
  options.train = "all.csv";
  const auto data = open_dataset(options);
  EXPECT_EQ(data->class_names(), (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(data->labels(Split::train), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(data->labels(Split::val), (std::vector<int64_t>{1}));
  EXPECT_EQ(data->load(Split::test, 0).rgb, pattern(10, 12, 3).rgb);
  folder.write("numbers.csv", "label,path\n2,img/0.png\n0,img/1.png\n");
  options.train = "numbers.csv";
  EXPECT_EQ(open_dataset(options)->labels(Split::train), (std::vector<int64_t>{2, 0}));
  EXPECT_EQ(open_dataset(options)->classes(), 3);
}

TEST(ImageFolder, NamesTheLineOfABadList) {
  TemporaryCache cache;
  const TemporaryFolder folder;
  folder.write("0.png", png(0));
  DataOptions options = folder_options(folder);
  options.train = "list.csv";
  const auto message = [&](const std::string& text) {
    folder.write("list.csv", text);
    return error_of([&] { open_dataset(options); }).second;
  };
  EXPECT_NE(message("path\n0.png\n1.png\n").find("list.csv:3: 1.png cannot be found"), std::string::npos);
  EXPECT_NE(message("path,lable\n").find("list.csv:1: unknown column 'lable'"), std::string::npos);
  EXPECT_NE(message("path,label\n0.png\n").find("list.csv:2: 1 fields, the first line has 2"), std::string::npos);
  EXPECT_NE(message("path,split\n0.png,training\n").find("list.csv:2: got 'training'; allowed: train, val or test"),
            std::string::npos);
  EXPECT_NE(message("path,label\n").find("lists no image"), std::string::npos);
  EXPECT_NE(message("").find("lists no image"), std::string::npos);
  options.train = "no.csv";
  EXPECT_NE(message("").find("no.csv does not exist"), std::string::npos);
}

TEST(ImageFolder, NamesDamagedFilesAndAFileThatVanished) {
  TemporaryCache cache;
  const TemporaryFolder folder;
  folder.write("a.png", png(0).substr(0, 60));
  folder.write("b.jpg", "");
  folder.write("c.png", png(0));
  for (const bool cached : {true, false}) {
    DataOptions options = folder_options(folder);
    options.cache = cached;
    const auto data = open_dataset(options);
    EXPECT_TRUE(error_of([&] { data->load(Split::train, 0); }).second.starts_with("a.png: corrupt or truncated PNG"));
    EXPECT_TRUE(error_of([&] { data->load(Split::train, 1); }).second.starts_with("b.jpg: an empty file"));
    EXPECT_EQ(data->load(Split::train, 2).h, 10);
    const Json info = data_info(*data, options);
    EXPECT_EQ(info["unreadable"]["count"], 2);
    EXPECT_EQ(info["splits"]["train"]["images"], 3);
    if (cached) continue;
    fs::remove(folder.path() / "c.png");
    EXPECT_TRUE(error_of([&] { data->load(Split::train, 2); }).second.starts_with("c.png: cannot read"));
  }
}

TEST(Fingerprint, OfAFolderIsThatOfItsCopyUntilAnImageChanges) {
  TemporaryCache cache;
  const TemporaryFolder a, b;
  for (const TemporaryFolder* folder : {&a, &b}) {
    folder->write("train/x/1.png", png(1));
    folder->write("train/y/2.png", png(2));
  }
  DataOptions options = folder_options(b);
  EXPECT_EQ(open_dataset(folder_options(a))->fingerprint(), open_dataset(options)->fingerprint());
  options.verify = true;
  const std::string verified = open_dataset(options)->fingerprint();
  std::string same_size = png(2);
  same_size.back() ^= 1;
  b.write("train/y/2.png", same_size);
  EXPECT_EQ(open_dataset(folder_options(a))->fingerprint(), open_dataset(folder_options(b))->fingerprint());
  EXPECT_NE(open_dataset(options)->fingerprint(), verified);
  b.write("train/y/2.png", png(2) + "x");
  EXPECT_NE(open_dataset(folder_options(a))->fingerprint(), open_dataset(folder_options(b))->fingerprint());
}

TEST(ExpandBraces, CountsWithLeadingZerosAndMultiplies) {
  EXPECT_EQ(expand_braces("s-{008..010}.tar", "x"), (std::vector<std::string>{"s-008.tar", "s-009.tar", "s-010.tar"}));
  EXPECT_EQ(expand_braces("{a,b}{1..2}", "x"), (std::vector<std::string>{"a1", "a2", "b1", "b2"}));
  EXPECT_EQ(expand_braces("plain", "x"), (std::vector<std::string>{"plain"}));
  EXPECT_EQ(error_of([] { expand_braces("s-{3..1}", "data.train"); }).first, Code::usage);
  EXPECT_EQ(error_of([] { expand_braces("s-{1..3", "data.train"); }).first, Code::usage);
}

TEST(PackDataset, WritesShardsThatReadBackTheSame) {
  TemporaryCache cache;
  const TemporaryFolder folder;
  const FashionFiles files(25);
  DataOptions options = files.options();
  options.holdout = 5;
  const auto data = open_dataset(options);
  const Packed packed = pack_dataset(*data, folder.path() / "out", {.images_per_shard = 8});
  EXPECT_EQ(packed.images, 29);
  EXPECT_EQ(packed.shards, 5);
  const DataOptions shards{.name = "tar_shards", .root = (folder.path() / "out").string()};
  const auto back = open_dataset(shards);
  for (Split split : kSplits) {
    ASSERT_EQ(back->size(split), data->size(split));
    EXPECT_EQ(back->labels(split), data->labels(split));
    for (int64_t i = 0; i < data->size(split); ++i) EXPECT_EQ(back->load(split, i).rgb, data->load(split, i).rgb);
  }
  EXPECT_FALSE(back->held_out());
  EXPECT_EQ(back->class_names(), data->class_names());
  EXPECT_NE(error_of([&] { pack_dataset(*data, folder.path() / "out"); }).second.find("choose an empty folder"),
            std::string::npos);
  pack_dataset(*data, folder.path() / "again", {.images_per_shard = 8});
  EXPECT_EQ(read_file(folder.path() / "out" / "train-000001.tar"),
            read_file(folder.path() / "again" / "train-000001.tar"));
}

// Batches from packed pixels are those of the same images resized and kept as PNG; a small image keeps its size.
TEST(PackDataset, OfPixelsGivesTheBatchesOfTheResizedImages) {
  TemporaryCache cache;
  const TemporaryFolder folder;
  for (int64_t i = 0; i < 6; ++i) {
    const Image image = i == 0 ? pattern(20, 30, i) : pattern(60 + i, 90 - i, i);
    const double scale = i == 0 ? 1 : 24.0 / static_cast<double>(image.h);
    const Image small = resize_image(image, i == 0 ? 20 : 24, std::llround(scale * static_cast<double>(image.w)),
                                     Interpolation::bicubic);
    folder.write(fmt::format("whole/train/c{}/{}.png", i % 2, i), encode_png(image));
    folder.write(fmt::format("small/train/c{}/{}.png", i % 2, i), encode_png(small));
  }
  const auto whole = open_dataset({.name = "image_folder", .root = (folder.path() / "whole").string(), .holdout = 0});
  const auto small = open_dataset({.name = "image_folder", .root = (folder.path() / "small").string(), .holdout = 0});
  EXPECT_EQ(pack_dataset(*whole, folder.path() / "packed", {.pixels = 24}).images, 6);
  const auto packed = open_dataset({.name = "tar_shards", .root = (folder.path() / "packed").string(), .holdout = 0});
  EXPECT_EQ(packed->class_names(), small->class_names());
  const LoaderOptions options{.batch_size = 6, .image_size = 16, .workers = 0, .shuffle = false};
  Loader theirs(*small, options), ours(*packed, options);
  const Batch *expected = theirs.next(), *got = ours.next();
  EXPECT_EQ(got->labels, expected->labels);
  EXPECT_EQ(got->pixels, expected->pixels);
  std::ifstream maps("/proc/self/maps");
  bool shared = false;
  for (std::string line; std::getline(maps, line);)
    shared |= line.ends_with("packed/train-000000.tar") && line.find(" r--s ") != std::string::npos;
  EXPECT_TRUE(shared) << "every process reads the same pages";
  for (const auto& entry : fs::directory_iterator(cache.path()))
    EXPECT_FALSE(entry.path().filename().string().starts_with("tar_shards")) << "raw pixels need no cache";
}

std::string tar_of(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string tar;
  const Append append = [&](const void* bytes, size_t count) { tar.append(static_cast<const char*>(bytes), count); };
  for (const auto& [name, content] : files) append_tar_entry(append, name, content);
  append_tar_end(append);
  return tar;
}

TEST(TarShards, ReadsAPatternAndLabelsWhereThereAreAny) {
  TemporaryCache cache;
  const TemporaryFolder folder;
  folder.write("shard-000.tar", tar_of({{"000001.jpg", read_file(kFolder / "images" / "420.jpg")},
                                        {"000001.cls", "3\n"},
                                        {"000001.json", "{}"}}));
  folder.write("shard-001.tar",
               tar_of({{"a/000002.png", png(2)}, {"a/000003.webp", read_file(kFolder / "images" / "lossy.webp")}}));
  DataOptions options{
      .name = "tar_shards", .root = folder.path().string(), .train = "shard-{000..001}.tar", .holdout = 0};
  const auto data = open_dataset(options);
  EXPECT_EQ(data->labels(Split::train), (std::vector<int64_t>{3, -1, -1}));
  EXPECT_EQ(data->classes(), 4);
  EXPECT_EQ(data->item_name(Split::train, 1), "shard-001/a/000002");
  EXPECT_EQ(data->load(Split::train, 1).rgb, pattern(10, 12, 2).rgb);
  options.train = "shard-{000..002}.tar";
  EXPECT_NE(error_of([&] { open_dataset(options); }).second.find("shard-002.tar does not exist"), std::string::npos);
}

TEST(TarShards, NamesADamagedTar) {
  TemporaryCache cache;
  const TemporaryFolder folder;
  const std::string tar = tar_of({{"1.png", png(1)}, {"2.png", png(2)}});
  const DataOptions options{.name = "tar_shards", .root = folder.path().string(), .holdout = 0};
  const auto message = [&](const std::string& bytes) {
    folder.write("train.tar", bytes);
    return error_of([&] { open_dataset(options); }).second;
  };
  EXPECT_NE(message(tar.substr(0, 700)).find("ends within '1.png'"), std::string::npos);
  EXPECT_NE(message("\x1f\x8b" + tar).find("no tar header at byte 0"), std::string::npos);
  EXPECT_NE(message(tar_of({{"1.png", png(1)}, {"1.cls", "cat"}})).find("1.cls says 'cat'"), std::string::npos);
  EXPECT_NE(message(tar_of({{"1.txt", "x"}})).find("no tar with images"), std::string::npos);
  EXPECT_EQ(message(tar), "no error");
}

TEST(ListTar, ReadsWhatGnuTarWrites) {
  const TemporaryFolder folder;
  const std::string long_name(180, 'n');
  folder.write("in/short.txt", "hello");
  folder.write("in/" + long_name + ".png", png(3));
  for (const std::string format : {"gnu", "pax", "ustar", "v7"}) {
    const std::string files = format == "gnu" || format == "pax" ? "." : "short.txt";
    const std::string command = fmt::format("tar --format={} -C '{}/in' -cf '{}/x.tar' {}", format,
                                            folder.path().string(), folder.path().string(), files);
    ASSERT_EQ(std::system(command.c_str()), 0);
    const std::string tar = read_file(folder.path() / "x.tar");
    bool found = false, found_long = false;
    for (const TarEntry& entry : list_tar(tar, "x.tar")) {
      if (entry.name.ends_with("short.txt"))
        found = tar.substr(static_cast<size_t>(entry.offset), static_cast<size_t>(entry.bytes)) == "hello";
      if (entry.name.ends_with(long_name + ".png")) found_long = entry.bytes == static_cast<int64_t>(png(3).size());
    }
    EXPECT_TRUE(found) << format;
    EXPECT_EQ(found_long, files == ".") << format;
  }
}

TEST(LoaderRate, CountsImages) {
  TemporaryCache cache;
  const FashionFiles files;
  const auto data = open_dataset(files.options());
  const Json rate = loader_rate(*data, {.batch_size = 4, .image_size = 32}, 0.02);
  EXPECT_GT(rate["images"].get<int64_t>(), 0);
  EXPECT_GT(rate["images_per_second"].get<double>(), 0);
}

}  // namespace
}  // namespace simmim
