package millrace.peers;

import java.util.Map;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.internals.CacheFlushListener;
import org.apache.kafka.streams.state.internals.CachedStateStore;

/**
 * Kafka Streams has no public hook before a commit. Caches of stores are emptied then, before the producer is flushed and
 * offsets are taken, so this passes for a store with a cache. Without it the rows gathered at a commit would be lost in a
 * crash; a store's own `flush()` comes too late.
 */
final class BeforeCommit implements StateStore, CachedStateStore<Object, Object> {
  static final String NAME = "before-commit";
  private Runnable then = () -> {};
  private boolean open;

  void run(Runnable given) {
    then = given;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void init(StateStoreContext context, StateStore root) {
    context.register(root, (key, value) -> {});
    open = true;
  }

  @Override
  public void flushCache() {
    then.run();
  }

  @Override
  public void clearCache() {}

  @Override
  public boolean setFlushListener(CacheFlushListener<Object, Object> listener, boolean sendOldValues) {
    return false;
  }

  @Override
  public void close() {
    open = false;
  }

  @Override
  public boolean persistent() {
    return false;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  static StoreBuilder<BeforeCommit> builder() {
    return new StoreBuilder<>() {
      @Override
      public StoreBuilder<BeforeCommit> withCachingEnabled() {
        return this;
      }

      @Override
      public StoreBuilder<BeforeCommit> withCachingDisabled() {
        return this;
      }

      @Override
      public StoreBuilder<BeforeCommit> withLoggingEnabled(Map<String, String> config) {
        return this;
      }

      @Override
      public StoreBuilder<BeforeCommit> withLoggingDisabled() {
        return this;
      }

      @Override
      public BeforeCommit build() {
        return new BeforeCommit();
      }

      @Override
      public Map<String, String> logConfig() {
        return Map.of();
      }

      @Override
      public boolean loggingEnabled() {
        return false;
      }

      @Override
      public String name() {
        return NAME;
      }
    };
  }
}
