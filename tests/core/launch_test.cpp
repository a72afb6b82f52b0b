#include "core/launch.h"

#include <gtest/gtest.h>

#include <map>

#include "temporary.h"

namespace simmim {
namespace {

using Variables = std::map<std::string, std::string>;

Launch launch_of(const Variables& variables) {
  return read_launch([&](const char* name) {
    const auto it = variables.find(name);
    return it == variables.end() ? nullptr : it->second.c_str();
  });
}

TEST(Launch, WithoutVariablesOrWithOneProcessIsAlone) {
  EXPECT_FALSE(launch_of({}).many());
  EXPECT_FALSE(launch_of({{"SLURM_NTASKS", "1"}, {"SLURM_PROCID", "0"}}).many());
  EXPECT_FALSE(launch_of({{"WORLD_SIZE", "1"}, {"RANK", "0"}, {"MASTER_ADDR", "a"}}).many());
  EXPECT_FALSE(launch_of({{"SLURM_PROCID", "3"}, {"RANK", "2"}}).many());
}

TEST(Launch, OfMpirunStandsAboveTheSlurmJobAroundIt) {
  const Launch launch = launch_of({{"OMPI_COMM_WORLD_SIZE", "4"},
                              {"OMPI_COMM_WORLD_RANK", "3"},
                              {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                              {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                              {"SLURM_NTASKS", "8"},
                              {"SLURM_PROCID", "0"}});
  EXPECT_EQ(launch.launcher, "mpirun");
  EXPECT_EQ(launch.says, "OMPI_COMM_WORLD_SIZE=4");
  EXPECT_EQ(launch.size, 4);
  EXPECT_EQ(launch.rank, 3);
  EXPECT_EQ(launch.local_rank, 1);
  EXPECT_EQ(launch.local_size, 2);
  EXPECT_TRUE(launch.has_mpi);
}

TEST(Launch, OfTorchrunMeetsAtTheLaunchersStore) {
  const Launch launch = launch_of({{"WORLD_SIZE", "2"},
                              {"RANK", "1"},
                              {"LOCAL_RANK", "1"},
                              {"LOCAL_WORLD_SIZE", "2"},
                              {"MASTER_ADDR", "gpu7"},
                              {"MASTER_PORT", "29500"},
                              {"TORCHELASTIC_USE_AGENT_STORE", "True"}});
  EXPECT_EQ(launch.launcher, "torchrun");
  EXPECT_EQ(launch.rank, 1);
  EXPECT_EQ(launch.address, "gpu7");
  EXPECT_EQ(launch.port, 29500);
  EXPECT_TRUE(launch.hosts_store);
  EXPECT_FALSE(launch.has_mpi);
}

TEST(Launch, OfSlurmMeetsOnTheFirstNodeAtAPortOfTheJob) {
  Variables variables = {{"SLURM_STEP_NUM_TASKS", "6"},
                         {"SLURM_NTASKS", "6"},
                         {"SLURM_PROCID", "5"},
                         {"SLURM_LOCALID", "1"},
                         {"SLURM_STEP_TASKS_PER_NODE", "2(x3)"},
                         {"SLURM_STEP_NODELIST", "gpu[007-009]"},
                         {"SLURM_JOB_ID", "1234"},
                         {"SLURM_STEP_ID", "0"}};
  const Launch launch = launch_of(variables);
  EXPECT_EQ(launch.launcher, "srun");
  EXPECT_EQ(launch.size, 6);
  EXPECT_EQ(launch.rank, 5);
  EXPECT_EQ(launch.local_size, 2);
  EXPECT_EQ(launch.address, "gpu007");
  EXPECT_GE(launch.port, 20000);
  EXPECT_LT(launch.port, 60000);
  EXPECT_FALSE(launch.has_mpi);  // srun without --mpi=pmix
  EXPECT_TRUE(launch.certain);
  variables["PMIX_RANK"] = "5";
  EXPECT_TRUE(launch_of(variables).has_mpi);
  variables["SLURM_STEP_ID"] = "1";
  EXPECT_NE(launch_of(variables).port, launch.port);
}

TEST(Launch, OfAnAllocationWithoutSrunIsOnlySuspected) {
  const Launch launch = launch_of({{"SLURM_NTASKS", "4"}});
  EXPECT_TRUE(launch.many());
  EXPECT_FALSE(launch.certain);
  check_alone(launch, "sweep");  // a sweep may fill a job of four tasks
  EXPECT_NE(error_of(Code::usage,
                     [] {
                       check_alone(launch_of({{"PMI_SIZE", "2"}, {"PMI_RANK", "1"}}), "sweep");
                     })
                .find("mpiexec started 2 (PMI_SIZE=2)"),
            std::string::npos);
}

TEST(Launch, RefusesNumbersThatAreNone) {
  EXPECT_NE(error_of(Code::usage,
                     [] {
                       launch_of({{"WORLD_SIZE", "two"}});
                     })
                .find("WORLD_SIZE: got 'two'"),
            std::string::npos);
  EXPECT_NE(error_of(Code::usage,
                     [] {
                       launch_of({{"WORLD_SIZE", "2"}, {"RANK", "2"}});
                     })
                .find("allows 0 to 1"),
            std::string::npos);
}

TEST(Launch, FindsTheFirstHostOfSlurmsShortForm) {
  EXPECT_EQ(first_host("n1"), "n1");
  EXPECT_EQ(first_host("a1,b2"), "a1");
  EXPECT_EQ(first_host("gpu[007-009,12],login"), "gpu007");
  EXPECT_EQ(first_host("n[3,5]"), "n3");
}

}  // namespace
}  // namespace simmim
