// The frame of every view: where to go, how the connection is, who looks.
import { ActView } from "./act/view";
import { AnomaliesView } from "./anomalies/view";
import { DetectorsView } from "./detectors/view";
import { Banner } from "./frame/banner";
import { Header } from "./frame/header";
import { Help } from "./frame/help";
import { SignIn } from "./frame/sign_in";
import { GraphView } from "./graph/view";
import { NodesView } from "./nodes/view";
import { Empty } from "./parts/empty";
import { link } from "./state/live";
import { follow, route } from "./state/router";
import { caller, unreachable } from "./state/caller";

export function App() {
  const known = caller.value;
  const signedOut = known !== null && known.sign_in_needed && !known.signed_in;
  const isUnreachable = known === null && unreachable.value !== null;
  return (
    <div class={`page ${link.value === "lost" ? "stale" : ""}`} onClick={follow}>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Header />
      <Banner />
      <main id="main" tabIndex={-1}>
        {/* Whoever need not sign in waits for nobody to say so. */}
        {signedOut ? <SignIn /> : isUnreachable ? <Unreachable why={unreachable.value} /> : <View />}
      </main>
      <Help />
    </div>
  );
}

function Unreachable({ why }: { why: string | null }) {
  return <Empty title="The collector cannot be reached">{why}</Empty>;
}

function View() {
  const [view] = route.value;
  switch (view) {
    case "graph":
      return <GraphView />;
    case "anomalies":
      return <AnomaliesView />;
    case "detectors":
      return <DetectorsView />;
    case "nodes":
      return <NodesView />;
    case "act":
      return <ActView />;
    default:
      return (
        <Empty title="There is no such view">
          <a href="/">The graph shows where it burns.</a>
        </Empty>
      );
  }
}
