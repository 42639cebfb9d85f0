// Starts the page.
import { render } from "preact";
import { App } from "./app";
import { start } from "./state/live";
import { ask } from "./state/caller";
import "./state/theme";
import "./style/index.css";

const page = document.getElementById("page");
if (page) render(<App />, page);
void ask();
start();
