// What the lines and colours of the graph mean.

export function Legend() {
  return (
    <ul class="plain graph-legend">
      <li>
        <svg width="34" height="8" aria-hidden="true">
          <path class="edge" d="M1 4H33" />
        </svg>
        every port is a Service's
      </li>
      <li>
        <svg width="34" height="8" aria-hidden="true">
          <path class="edge undeclared" d="M1 4H33" />
        </svg>
        some port nobody declares
      </li>
      <li>
        <svg width="34" height="8" aria-hidden="true">
          <path class="edge burning" d="M1 4H33" />
        </svg>
        an anomaly is open
      </li>
    </ul>
  );
}
