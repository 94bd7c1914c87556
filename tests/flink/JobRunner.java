import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.beam.model.pipeline.v1.RunnerApi.Pipeline;
import org.apache.beam.runners.flink.FlinkBatchPortablePipelineTranslator;
import org.apache.beam.runners.flink.FlinkPipelineOptions;
import org.apache.beam.runners.fnexecution.provisioning.JobInfo;
import org.apache.beam.sdk.util.construction.PTransformTranslation;
import org.apache.beam.sdk.util.construction.PipelineOptionsTranslation;
import org.apache.beam.sdk.util.construction.graph.GreedyPipelineFuser;
import org.apache.beam.sdk.util.construction.graph.ProtoOverrides;
import org.apache.beam.sdk.util.construction.graph.SplittableParDoExpander;
import org.apache.beam.sdk.util.construction.graph.TrivialNativeTransformExpander;
import org.apache.beam.vendor.grpc.v1p69p0.com.google.protobuf.Struct;

/**
 * Runs portable Beam pipelines on Flink as batch jobs, one after the other: what Beam's Flink job
 * server does between Run and Done.
 *
 * <p>Standard input names a job a line: its name, the file of its serialized pipeline and that of
 * its serialized options, separated by tabs. Standard output answers each with DONE, or with
 * FAILED, a tab and the reason.
 */
public final class JobRunner {
  public static void main(String[] args) throws IOException {
    PrintStream answers = System.out;
    System.setOut(System.err); // Libraries print; answers alone go to standard output.
    BufferedReader jobs =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = jobs.readLine(); line != null; line = jobs.readLine()) {
      String[] job = line.split("\t");
      try {
        run(job[0], job[1], job[2]);
        answers.println("DONE");
      } catch (Exception | LinkageError failure) {
        failure.printStackTrace();
        answers.println("FAILED\t" + reason(failure));
      }
      answers.flush();
    }
    System.exit(0); // Threads of Flink's client would keep the process alive.
  }

  private static void run(String name, String pipelineFile, String optionsFile) throws Exception {
    Pipeline pipeline;
    try (FileInputStream file = new FileInputStream(pipelineFile)) {
      pipeline = Pipeline.parseFrom(file);
    }
    FlinkPipelineOptions options;
    try (FileInputStream file = new FileInputStream(optionsFile)) {
      options =
          PipelineOptionsTranslation.fromProto(Struct.parseFrom(file))
              .as(FlinkPipelineOptions.class);
    }
    options.setRunner(null);
    options.setStreaming(false);

    FlinkBatchPortablePipelineTranslator translator =
        FlinkBatchPortablePipelineTranslator.createTranslator();
    Pipeline splittable =
        ProtoOverrides.updateTransform(
            PTransformTranslation.PAR_DO_TRANSFORM_URN,
            pipeline,
            SplittableParDoExpander.createSizedReplacement());
    Pipeline known =
        TrivialNativeTransformExpander.forKnownUrns(splittable, translator.knownUrns());
    Pipeline fused = GreedyPipelineFuser.fuse(known).toPipeline();

    JobInfo job = JobInfo.create(name, name, "", PipelineOptionsTranslation.toProto(options));
    // The cluster has Beam's jars on its own class path: none are sent with a job.
    translator
        .translate(translator.createTranslationContext(job, options, null, List.of()), fused)
        .execute(name);
  }

  /** The innermost cause, as Beam's job server gives it, on one line. */
  private static String reason(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null && cause.getCause() != cause) {
      cause = cause.getCause();
    }
    return cause.toString().replace("\\", "\\\\").replace("\n", "\\n").replace("\t", " ");
  }
}
